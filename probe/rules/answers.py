"""2. and 3. A 2xx answer: the facts of its body decide, never the words of an error in it."""

from typing import Final

from probe.rules.rule import DEGRADATION, MISMATCH, OK, OURS, Place, Rule

ANSWERS: Final = (
    Rule(
        *("error event: not enough resources", DEGRADATION, "upstream_overloaded", Place.ANSWER),
        r" finish:insufficient_system_resource\b",
        hits=("http json media:json whole:yes error:no choices:1 content:text finish:insufficient_system_resource",),
        misses=("http json media:json whole:yes error:no choices:1 content:text finish:stop",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("only blank lines", DEGRADATION, "truncated_body", Place.ANSWER),
        r"^\w+ blank |^stream sse .* events:0 done:no ",
        hits=("http blank media:json whole:yes", "stream sse media:sse whole:yes utf8:yes events:0 done:no error:no"),
        misses=(
            "http empty media:none whole:yes",
            "stream sse media:sse whole:yes utf8:yes events:0 done:yes error:no",
        ),
        runner_up=MISMATCH,
    ),
    Rule(
        *("fewer bytes than announced", DEGRADATION, "truncated_body", Place.ANSWER),
        r" whole:no ",
        hits=("http cut media:json whole:no utf8:yes",),
        misses=("http cut media:json whole:limit utf8:yes",),
    ),
    Rule(
        *("empty body", MISMATCH, "empty_body", Place.ANSWER),
        r"^\w+ empty ",
        hits=("http empty media:none whole:yes", "stream empty media:sse whole:yes"),
        misses=("http blank media:none whole:yes",),
    ),
    Rule(
        *("web page", MISMATCH, "html_on_200", Place.ANSWER),
        r"^\w+ html ",
        hits=("http html media:html whole:yes", "stream html media:html whole:yes"),
        misses=("http json media:html whole:yes",),
    ),
    Rule(
        *("error object under 200", MISMATCH, "error_in_200", Place.ANSWER),
        r"^\w+ json .* error:yes |^http .* finish:error\b",
        hits=(
            "http json media:json whole:yes utf8:yes error:yes choices:0",
            "stream json media:json x error:yes choices:-",
        ),
        misses=(
            "http json media:json whole:yes utf8:yes error:no choices:0",
            "stream sse media:sse x error:yes choices:0",
        ),
    ),
    Rule(
        *("not UTF-8", MISMATCH, "invalid_json", Place.ANSWER),
        r"^\w+ (json|cut|invalid|text) .* utf8:no ",
        hits=("http json media:json whole:yes utf8:no error:no",),
        misses=("http json media:json whole:yes utf8:yes error:no", "stream sse media:sse whole:yes utf8:no error:no"),
    ),
    Rule(
        *("longer than we read", MISMATCH, "wrong_shape", Place.ANSWER),
        r" whole:limit ",
        hits=("http cut media:json whole:limit utf8:yes", "stream sse media:sse whole:limit utf8:yes"),
        misses=("http cut media:json whole:no utf8:yes",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("body breaks off", DEGRADATION, "truncated_body", Place.ANSWER),
        r"^\w+ cut ",
        hits=("http cut media:json whole:yes utf8:yes",),
        misses=("http invalid media:json whole:yes utf8:yes",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("broken JSON, almost right", MISMATCH, "invalid_json", Place.ANSWER),
        r"^http invalid .* lenient:yes",
        hits=("http invalid media:json whole:yes utf8:yes lenient:yes",),
        misses=("http invalid media:json whole:yes utf8:yes lenient:no",),
        runner_up=OK,
    ),
    Rule(
        *("broken JSON", MISMATCH, "invalid_json", Place.ANSWER),
        (r"^http (invalid|text media:json) ", r"^stream invalid media:(json|none|text) "),
        hits=(
            "http invalid media:json whole:yes utf8:yes",
            "http text media:json whole:yes utf8:yes",
            "stream invalid media:json whole:yes utf8:yes",
        ),
        misses=("http text media:text whole:yes utf8:yes", "http json media:json whole:yes utf8:yes"),
    ),
    # -------- streams
    Rule(
        *("events not readable", MISMATCH, "invalid_sse", Place.ANSWER),
        (r"^stream (text|xml|invalid) ", r"^stream sse .* (utf8:no|broken:yes) "),
        hits=(
            "stream sse media:sse whole:yes utf8:yes events:2 done:yes broken:yes error:no",
            "stream text media:sse x",
        ),
        misses=("stream sse media:sse whole:yes utf8:yes events:2 done:yes broken:no error:no",),
    ),
    Rule(
        *("plain answer to a stream", MISMATCH, "stream_not_honoured", Place.ANSWER),
        r"^stream json ",
        hits=("stream json media:json whole:yes utf8:yes error:no choices:1",),
        misses=("http json media:json whole:yes utf8:yes error:no choices:1", "stream sse media:sse whole:yes"),
    ),
    Rule(
        *("stream of another protocol", MISMATCH, "wrong_shape", Place.ANSWER),
        r"^stream sse .* shape:other ",
        hits=("stream sse x events:3 done:yes broken:no error:no shape:other choices:- content:none finish:none",),
        misses=(
            "stream sse x events:3 done:yes broken:no error:no shape:completion choices:1 content:text finish:stop",
            "stream sse x events:0 done:yes broken:no error:no shape:scalar choices:- content:none finish:none",
        ),
    ),
    Rule(
        *("content filter on the probe's own prompt", MISMATCH, "content_filtered", Place.ANSWER),
        r" finish:(content_filter|safety|sensitive|refusal)\b| content:refusal ",
        hits=("http json x error:no choices:1 content:none finish:content_filter",),
        misses=("http json x error:no choices:1 content:text finish:stop",),
    ),
    Rule(
        *("stream breaks off", MISMATCH, "truncated_stream", Place.ANSWER),
        (r"^stream sse .* done:no .* finish:none\b", r"^stream sse .* done:no broken:tail "),
        hits=(
            "stream sse x events:2 done:no broken:no error:no choices:1 content:text finish:none",
            "stream sse x events:2 done:no broken:tail error:no choices:1 content:text finish:stop",
        ),
        misses=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:none",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("stream without terminal frame", MISMATCH, "missing_done", Place.ANSWER),
        r"^stream sse .* done:no ",
        hits=("stream sse x events:2 done:no broken:no error:no choices:1 content:text finish:stop",),
        misses=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:stop",),
        runner_up=OK,
    ),
    Rule(
        *("stream of nothing", MISMATCH, "content_null", Place.ANSWER),
        r"^stream sse .* choices:[0-] ",
        hits=("stream sse x events:0 done:yes broken:no error:no choices:0 content:none finish:none",),
        misses=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:stop",),
    ),
    Rule(
        *("stream without finish reason", MISMATCH, "missing_finish_reason", Place.ANSWER),
        r"^stream sse .* finish:none\b",
        hits=("stream sse x events:2 done:yes broken:no error:no choices:1 content:text finish:none",),
        misses=("http json x error:no choices:1 content:text finish:none",),
    ),
    # -------- plain answers
    Rule(
        *("no completion", MISMATCH, "wrong_shape", Place.ANSWER),
        r"^http (text|xml|sse) |^http json .* shape:(other|scalar) | choices:bad | content:bad ",
        hits=("http text media:text whole:yes", "http json x error:no shape:scalar choices:-", "http sse media:sse x"),
        misses=("http json x error:no shape:completion choices:- content:none",),
    ),
    Rule(
        *("no choices field", MISMATCH, "missing_choices", Place.ANSWER),
        r"^http json .* choices:- ",
        hits=("http json x error:no shape:completion choices:- content:none finish:none",),
        misses=("http json x error:no shape:completion choices:0 content:none finish:none",),
    ),
    Rule(
        *("no choice", MISMATCH, "empty_choices", Place.ANSWER),
        r"^http json .* choices:0 ",
        hits=("http json x error:no shape:completion choices:0 content:none finish:none",),
        misses=("http json x error:no shape:completion choices:1 content:none finish:none",),
    ),
    Rule(
        *("starved by our own limit", OURS, "starved", Place.ANSWER),
        r" content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:ours",
        hits=("http json x choices:1 content:reasoning finish:length limit:ours",),
        misses=("http json x choices:1 content:text finish:length limit:ours",),
    ),
    Rule(
        *("starved, limit not ours", OURS, "starved", Place.ANSWER),
        r" content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:none",
        hits=("http json x choices:1 content:none finish:length limit:none",),
        misses=("http json x choices:1 content:none finish:length limit:unknown",),
        runner_up=OK,
    ),
    Rule(
        *("ends at a limit nobody recorded", OK, "ok", Place.ANSWER),
        r"^http .* content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:unknown",
        hits=("http json x choices:1 content:none finish:length limit:unknown",),
        misses=("http json x choices:1 content:none finish:stop limit:unknown",),
        runner_up=OURS,
    ),
    Rule(
        *("stream ends at a limit nobody recorded", OK, "ok_stream", Place.ANSWER),
        r"^stream .* content:(none|reasoning) finish:(length|max_tokens|max_output_tokens|model_length) limit:unknown",
        hits=("stream sse x choices:1 content:none finish:length limit:unknown",),
        misses=("http json x choices:1 content:none finish:length limit:unknown",),
        runner_up=OURS,
    ),
    Rule(
        *("no finish reason", MISMATCH, "missing_finish_reason", Place.ANSWER),
        r"^http json .* content:(text|tools) finish:none\b",
        hits=("http json x choices:1 content:text finish:none",),
        misses=("http json x choices:1 content:text finish:stop",),
        runner_up=OK,
    ),
    Rule(
        *("no content, but reasoning", MISMATCH, "content_null", Place.ANSWER),
        r" content:reasoning ",
        hits=("http json x choices:1 content:reasoning finish:stop",),
        misses=("http json x choices:1 content:text finish:stop",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("no content", MISMATCH, "content_null", Place.ANSWER),
        r" content:none ",
        hits=("http json x choices:1 content:none finish:stop",),
        misses=("http json x choices:1 content:tools finish:tool_calls",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("right body, wrong label", MISMATCH, "wrong_content_type", Place.ANSWER),
        r"^http json media:(text|html|sse|other) |^stream sse media:(json|text|html|other) ",
        hits=("http json media:text whole:yes", "stream sse media:json whole:yes"),
        misses=("http json media:json whole:yes", "http json media:none whole:yes", "stream sse media:sse whole:yes"),
        runner_up=OK,
    ),
    Rule(
        *("documented field missing", MISMATCH, "wrong_shape", Place.ANSWER),
        r" required:missing\b",
        hits=(
            "http json media:json x choices:1 content:text finish:stop limit:none required:missing",
            "stream sse media:sse x choices:1 content:text finish:stop limit:ours required:missing",
        ),
        misses=(
            "http json media:json x choices:1 content:text finish:stop limit:none required:whole",
            "http json media:json x choices:1 content:text finish:stop limit:none required:unknown",
        ),
        runner_up=OK,
    ),
    Rule(
        *("ended by an unknown word", OK, "ok", Place.ANSWER),
        r"^http .* finish:other\b",
        hits=("http json media:json x choices:1 content:text finish:other",),
        misses=("http json media:json x choices:1 content:text finish:stop",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("answered", OK, "ok", Place.ANSWER),
        r"^http json .* choices:1 content:(text|tools) ",
        hits=("http json media:json whole:yes error:no shape:completion choices:1 content:text finish:stop",),
        misses=(
            "stream sse media:sse x choices:1 content:text finish:stop",
            "http json x choices:0 content:none finish:none",
        ),
    ),
    Rule(
        *("answered as a stream", OK, "ok_stream", Place.ANSWER),
        r"^stream sse .* choices:1 content:(text|tools) ",
        hits=("stream sse media:sse whole:yes done:yes error:no choices:1 content:text finish:stop",),
        misses=("http json media:json x choices:1 content:text finish:stop",),
    ),
    Rule(
        *("unforeseen answer", MISMATCH, "wrong_shape", Place.ANSWER),
        r"\S",
        hits=("http json media:json whole:yes nothing else is known",),
        misses=(" ",),
        runner_up=DEGRADATION,
    ),
)
