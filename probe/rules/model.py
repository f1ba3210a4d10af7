"""7. The model: withdrawn, unknown, or not loaded yet; then the path, and the filter of contents."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, Place, Rule

MODEL: Final = (
    Rule(
        *("model withdrawn", MISMATCH, "model_retired", Place.TEXT),
        (
            r"decommission|model_(deprecated|retired)",
            r"model.{0,150}(retired|deprecated|discontinued|sunset|has been removed)",
            r"model.{0,150}(no longer (supported|available|served|offered)|end[- ]of[- ](its )?life"
            r"|end of (its )?life)",
            r"模型.{0,150}(下线|弃用|停用|停止服务)",
        ),
        hits=(
            "The model `m` has been decommissioned and is no longer supported.",
            "Model m was deprecated on 2026-01-01",
            "This model version has reached the end of its life.",
            "该模型已下线",
        ),
        misses=("The model `m` does not exist.", "The `functions` parameter is deprecated."),
    ),
    Rule(
        *("no model loaded", DEGRADATION, "model_loading", Place.TEXT),
        r"no models? (is |are )?(currently )?loaded",
        hits=("No models loaded. Please load a model",),
        misses=("Model not found", "models are loaded"),
        runner_up=MISMATCH,
    ),
    Rule(
        *("model unavailable", MISMATCH, "model_not_found", Place.SHEET),
        r"\bmodel\b.{0,140}(not available|unavailable)",
        hits=("404 json\nThe model m is not available",),
        misses=("503 json\nThe model m is unavailable",),
        runner_up=AUTH,
        after=r"\A4\d\d ",
    ),
    Rule(
        *("model unknown", MISMATCH, "model_not_found", Place.TEXT),
        (
            r"(model|deployment)\b.{0,140}(not (found|exist|supported|valid|a valid|recogni[sz]ed|served|hosted"
            r"|deployed)|n't exist|is unknown|is invalid)",
            r"(invalid|unknown|unsupported|unavailable|no such|unrecogni[sz]ed|not found)[ :_]{1,2}(the )?model",
            r"model_not_(found|exist|supported)|models?/\S+ is not found|^model: \S+$|not a valid model",
            r"invalidendpoint|endpoint with (name|id)\b.{0,80}not exist",  # where an endpoint is named like a model
            r"only .{0,200}allowed now, your model",
            r"模型[^，。；,]{0,40}(不存在|未找到|不支持|无效|错误)|不支持.{0,8}模型",
        ),
        hits=(
            "The model `m` does not exist.",
            "Invalid model name passed in model=m.",
            "code: model_not_found",
            "code: InvalidEndpoint.NotFound",
            "Only a&&b allowed now, your model m",
            "模型不存在",
        ),
        misses=("model failed to load", "model is loading", "Invalid URL (POST /v1/v1/chat/completions)"),
        runner_up=AUTH,
    ),
    Rule(
        *("model loading", DEGRADATION, "model_loading", Place.TEXT),
        (
            r"loading model|still loading|scaling[_ ]up|model_?not_?ready",
            r"model.{0,80}\b(loading|warming|starting|not (yet )?ready|being loaded|cold)\b",
            r"模型.{0,8}(加载|启动|预热)",
        ),
        hits=("Loading model", "Model org/m is currently loading", "模型正在加载中"),
        misses=("model failed to load", "The server is overloaded or not ready yet."),
    ),
)

CONTENT_AND_PATH: Final = (
    Rule(
        *("content filter", MISMATCH, "content_filtered", Place.TEXT),
        (
            r"content[ _-]?(filter|policy|management|moderation|safety)|responsibleai|inappropriate content",
            r"was flagged|requires moderation|considered high risk|prompt_blocked|prohibited_content",
            r"safety (system|setting|filter|polic)|data_?inspection_?failed",
            r"sensitive.{0,12}(word|content|message|information|input)",
            r"敏感|违规|不安全|内容安全|不当内容|内容.{0,8}(风控|审核)",
        ),
        hits=(
            "The response was filtered due to the prompt triggering content management policy.",
            "The prompt was flagged",
            "code: DataInspectionFailed",
            "Sensitive chat messages",
            "检测到敏感词",
        ),
        misses=("No endpoints found matching your data policy", "Rate limit policy", "the answer is case-sensitive"),
    ),
    Rule(
        *("no route of a gateway", MISMATCH, "path_not_found", Place.TEXT),
        r"no route (matched|for|found)",
        hits=("no Route matched with those values",),
        misses=("no route to host",),
    ),
    Rule(
        *("path unknown", MISMATCH, "path_not_found", Place.SHEET),
        (
            r"invalid url \(|unknown (request )?url|unrecognized request url|cannot post /|no static resource",
            r"(endpoint|route|path|url|page|file|resource)s?\b.{0,60}(not found|not exist|unknown)",
            r"api_not_implemented|deployment_not_found",
        ),
        hits=(
            "404 json\nInvalid URL (POST /v1/v1/chat/completions)",
            "404 json\nThe requested resource was not found",
            "404 json\ncode: api_not_implemented",
        ),
        misses=("503 json\nno endpoint found", "400 json\nThe model `m` does not exist."),
        after=r"\A4\d\d ",
    ),
)
