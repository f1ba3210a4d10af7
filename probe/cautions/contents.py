"""Prompts, conversations and pictures, pasted or mentioned."""

from typing import Final

from probe.cautions import excuses
from probe.cautions.row import ANYWHERE, SENTENCE, CautionKind, Row

PROMPT: Final = CautionKind.PRODUCTION_PROMPT
TRANSCRIPT: Final = CautionKind.TRANSCRIPT
SCREENSHOT: Final = CautionKind.SCREENSHOT

ROWS: Final = (
    Row(
        "a conversation is pasted",
        TRANSCRIPT,
        ANYWHERE,
        (
            r"^\W{0,3}(?:user|customer|client|human|caller|kunde|kundin|用户|客户"
            r"|顾客)\s?[:：](?s:.*?)\n\W{0,3}(?:assistant|agent|bot|ai|support|model|human|user|customer"
            r"|berater|助手|客服|机器人)\s?[:：]",
            r"^\W{0,3}(?:assistant|agent|bot|ai|助手|客服)\s?[:：](?s:.*?)\n\W{0,3}(?:user|customer|client"
            r"|human|caller|kunde|用户|客户)\s?[:：]",
        ),
        ("User: where is it\nAssistant: on its way", "Agent: hello\nCustomer: hi"),
        ("User: one field of a form", "Customer: Example Corp\nRegion: eu"),
    ),
    Row(
        "a conversation is mentioned",
        TRANSCRIPT,
        SENTENCE,
        (
            r"\b(?:full|whole|complete|entire|customer|chat|call|unredacted"
            r"|raw)(?:['’]s)?\W(?:\w+\W){0,2}?(?:transcripts?|conversations?|chat logs?"
            r"|chat histor(?:y|ies)|dialog(?:ue)?s?)\b",
            r"\b(?:customers?|users?|clients?|callers?|kundin|kunde) (?:\w+ )?(?:wrote|said|says"
            r"|writes|asked|asks|replied|schrieb|sagte)\s?[:,]?\s?[\"'“„:]",
            r"\bchat (?:export|dump)s?\b",
            r"\b(?:chat|conversation) logs?\b",
            r"\btranscripts? (?:is |are )?(?:attached|below|included|follows?)\b",
            r"(?:gesprächs|chat|kunden)(?:protokoll|verlauf|gespräch)",
            r"(?:聊天|对话|会话)记录",
        ),
        (
            "I attach the full customer transcript.",
            "Transcript below.",
            "A conversation log is attached.",
            "The customer wrote: 'nobody answers'.",
            "The chat export is in the zip.",
            "Das Gesprächsprotokoll hängt an.",
            "附上聊天记录。",
        ),
        (
            "No customer transcript is attached.",
            "The chat API failed.",
            "The user asked for an update.",
            "Conversations with support started at 03:00.",
        ),
        excused=excuses.NONE_OF_IT,
    ),
    Row(
        "a prompt is pasted",
        PROMPT,
        ANYWHERE,
        (
            r"[\"']role[\"']\s*:\s*[\"'](?:system|user|developer|assistant)[\"']",
            r"\bprompts?(?: (?:was|is|were|reads?|said|says))?\s?[:：=]\s?[\"'“«\w]",
            r"\byou are (?:an?|the) (?:\w+ ){0,4}?(?:assistant|agent|chatbot|bot|expert|language model)\b",
            r"\bprompt lautet",
            r"\bwe (?:were |are )?(?:sending|sent|asking|asked)\s?:\s?[\"'“]",
            r"提示词(?:是|为|如下|：|:)",
        ),
        (
            '{"role": "system", "content": "be brief"}',
            'prompt: "Summarise the contract"',
            "You are a helpful assistant for the shop.",
            "Der Prompt lautet so",
            "We were sending: 'Draft an answer'.",
            "提示词如下",
        ),
        (
            '{"role":"user","content":"Return the word pong."}',
            "The prompt is synthetic.",
            "prompt: replaced by a synthetic one",
            "You are the assistant manager on call.",
            "prompt_tokens: 12",
        ),
        excused=r"\bthe word pong\b|\bsynthetic\b|\bassistant manager\b",
    ),
    Row(
        "a prompt is mentioned",
        PROMPT,
        SENTENCE,
        (
            r"\b(?:production|customers?['’]?|real|live|original|unredacted|users?['’]?|private"
            r"|system)(?:['’]s)? (?:\w+ )?prompts?\b[^.]{0,40}\b(?:attached|below|included|pasted"
            r"|unredacted|follows?|here)\b",
            r"\bthe prompts? (?:that|which) (?:failed|fails|breaks?|broke|we (?:sent|send|used?))\b",
            r"\b(?:unredacted|raw|attach\w*|here is|here are|see) (?:the |our |a "
            r"|my )?(?:\w+ ){0,2}?prompts?\b",
        ),
        ("Our production prompt is attached.", "I attach the original prompt.", "This is the prompt that failed."),
        (
            "Customer prompts were replaced by synthetic ones.",
            "Prompt caching is off.",
            "The production prompt is not attached.",
        ),
        excused=excuses.NONE_OF_IT,
    ),
    Row(
        "a screenshot",
        SCREENSHOT,
        SENTENCE,
        (
            r"\bscreen[ -]?(?:shots?|grabs?|caps?|captures?|recordings?)\b",
            r"\bsnips?\b|\bscreens? (?:is |are )?attached\b|\bphotos? of\b",
            r"\bbildschirm(?:foto|aufnahme|abzug)",
            r"\.(?:png|jpe?g|gif|webp|bmp|heic|tiff?)\b",
            r"截图|截屏|屏幕快照",
        ),
        (
            "See the screenshot.",
            "A snip of the dashboard.",
            "Siehe Bildschirmfoto.",
            "billing.png is attached",
            "附上截图",
        ),
        ("No screenshots are attached.", "The screen was blank.", "image/x content type"),
        excused=excuses.NONE_OF_IT,
    ),
)
