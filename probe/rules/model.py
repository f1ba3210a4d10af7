"""Errors: the model."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, Place, Rule

MODEL: Final = (
    Rule(
        *("gateway could not convert the request", MISMATCH, "request_rejected", Place.CODE),
        r"^code: (convert_request_failed|invalid_request|missing_required_parameter)$",
        hits=("code: invalid_request", "type: comet_api_error\ncode: convert_request_failed"),
        misses=("code: invalid_request_error", "type: invalid_request"),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("model withdrawn", MISMATCH, "model_retired", Place.TEXT),
        r"decommission|model_(deprecated|retired)|(model|模型).{0,150}(retired|deprecated|discontinued|sunset"
        r"|no longer (supported|available|served|offered)|end[- ]of[- ](its )?life|end of (its )?life"
        r"|has been removed|下线|弃用|停用|停止服务)",
        hits=("The model `m` has been decommissioned and is no longer supported.", "该模型已下线"),
        misses=("The model `m` does not exist.", "The `functions` parameter is deprecated."),
    ),
    Rule(
        *("model unknown", MISMATCH, "model_not_found", Place.SHEET),
        r"(?s:\A4\d\d .*)\bmodel\b.{0,140}(not available|unavailable)|(model"
        r"|deployment)\b.{0,140}(not (found|exist|supported|valid|a valid|recogni[sz]ed|served|hosted|deployed)"
        r"|n't exist|is unknown|is invalid)"
        r"|(invalid|unknown|unsupported|unavailable|no such|unrecogni[sz]ed|not found)[ :_]{1,2}(the )?model"
        r"|model_not_(found|exist|supported)|models?/\S+ is not found|^model: \S+$|not a valid model"
        r"|模型.{0,60}(不存在|未找到|不支持|无效|错误)|不支持.{0,8}模型|model identifier is invalid",
        hits=(
            "Model Not Exist",
            "The model `m` does not exist.",
            "Invalid model name passed in model=m.",
            "模型不存在",
        ),
        misses=("model failed to load", "model is loading", "Invalid URL (POST /v1/v1/chat/completions)"),
        runner_up=AUTH,
    ),
    Rule(
        *("model loading", DEGRADATION, "model_loading", Place.TEXT),
        r"loading model|model.{0,80}\b(loading|warming|starting|not (yet )?ready|being loaded|cold)\b|still loading"
        r"|scaling[_ ]up|model_?not_?ready|模型.{0,8}(加载|启动|预热)",
        hits=("Loading model", "Model org/m is currently loading"),
        misses=("model failed to load", "The server is overloaded or not ready yet."),
    ),
    Rule(
        *("content filter", MISMATCH, "content_filtered", Place.TEXT),
        r"content[ _-]?(filter|policy|management|moderation|safety)|responsibleai|data_?inspection_?failed"
        r"|inappropriate content|was flagged|requires moderation|safety (system|setting|filter|polic)"
        r"|sensitive.?(word|content)|considered high risk|prompt_blocked|prohibited_content|敏感|违规|不安全|内容安全"
        r"|不当内容",
        hits=("The response was filtered due to the prompt triggering content management policy.", "检测到敏感词"),
        misses=("No endpoints found matching your data policy", "Rate limit policy"),
    ),
    Rule(
        *("path unknown", MISMATCH, "path_not_found", Place.SHEET),
        r"no route (matched|for|found)|(?s:\A4\d\d .*)(invalid url \(|unknown (request )?url|unrecognized request url"
        r"|cannot post /|no static resource"
        r"|(endpoint|route|path|url|page|file|resource)s?\b.{0,60}(not found|not exist|unknown)|api_not_implemented"
        r"|deployment_not_found)",
        hits=("404 json\nno Route matched with those values", "404 json\nInvalid URL (POST /v1/v1/chat/completions)"),
        misses=("503 json\nno endpoint found", "400 json\nThe model `m` does not exist."),
    ),
)
