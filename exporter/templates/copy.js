for (const button of document.querySelectorAll("button[data-copies]")) {
  const source = document.getElementById(button.dataset.copies), said = button.nextElementSibling;
  button.hidden = false;
  button.addEventListener("click", async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(source.textContent);
      done = true;
    } catch {
      getSelection().selectAllChildren(source);
      done = document.execCommand("copy");
    }
    said.textContent = done ? "Copied." : "Selected: copy it with your keyboard.";
  });
}
