"""What each reason says to a person at 3 a.m., and what to do first. A reason without a meaning fails the tests."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    means: str
    first: str


# fmt: off
MEANINGS: Final[Mapping[str, Meaning]] = {
    # ---- ok
    "ok": Meaning(
        "The documented answer came.",
        "Nothing."),
    "ok_stream": Meaning(
        "The documented stream came, with its finish reason and its last frame.",
        "Nothing."),
    # ---- contract_mismatch
    "error_in_200": Meaning(
        "An error came under a status of success. Monitors that look at the status miss it.",
        "Read the quoted words for what really failed; send the packet for the status."),
    "missing_choices": Meaning(
        "A completion came without its `choices`.",
        "Compare with the last good exchange; send the packet."),
    "empty_choices": Meaning(
        "A completion came whose list of choices is empty.",
        "Compare with the last good exchange; send the packet."),
    "content_null": Meaning(
        "The answer ended normally and holds no text.",
        "Ask again by hand with repro.sh; send the packet if it repeats."),
    "empty_body": Meaning(
        "A status of success came with nothing behind it.",
        "Send the packet."),
    "html_on_200": Meaning(
        "A web page came where JSON is documented.",
        "Read the page's title: a login, a landing page or a captcha? Check the base URL."),
    "invalid_json": Meaning(
        "The body is not JSON as the standard has it.",
        "Look at the quoted bytes; send the packet."),
    "wrong_content_type": Meaning(
        "The right body came under another content-type.",
        "Check whether our clients read it all the same; send the packet."),
    "wrong_shape": Meaning(
        "JSON came, and it is no chat completion.",
        "Check path and base URL: is it another protocol's endpoint? Else send the packet."),
    "truncated_stream": Meaning(
        "The stream ended cleanly in the middle, without a finish reason.",
        "Send the packet; users see half an answer."),
    "missing_done": Meaning(
        "The stream came whole, and without the documented last frame.",
        "Check whether our clients wait for it; send the packet."),
    "missing_finish_reason": Meaning(
        "The answer does not say why it ended.",
        "Check whether our clients need it; send the packet."),
    "stream_not_honoured": Meaning(
        "A stream was asked for, and a plain answer came.",
        "Does the model stream according to the documents? Else send the packet."),
    "invalid_sse": Meaning(
        "The events of the stream cannot be read.",
        "Look at the quoted bytes; look for a proxy that rewrites streams; send the packet."),
    "unsupported_parameter": Meaning(
        "A field of our request, or its value, is refused.",
        "Compare with the model's documents; take the field out of `request`."),
    "request_rejected": Meaning(
        "The request is called malformed, although the contract allows it.",
        "Compare the recorded request with the documents; was it answered well before?"),
    "path_not_found": Meaning(
        "The documented path is not there.",
        "Check the base URL, and `/v1` in it twice or not at all."),
    "method_not_allowed": Meaning(
        "POST is refused on the documented path.",
        "Check the base URL and redirects that turn POST into GET."),
    "unsupported_media_type": Meaning(
        "JSON is refused.",
        "Look for a proxy that changes our content-type."),
    "redirect": Meaning(
        "Another URL is named instead of an answer.",
        "Put the final URL into the contract, if the documents say so."),
    "payload_too_large": Meaning(
        "Our request is called too large. It is a few hundred bytes.",
        "Look for a proxy with a tiny limit; send the packet."),
    "context_length": Meaning(
        "Our prompt is called too long. It is a word.",
        "Look at `max_tokens` in `request`: prompt and answer count together. Else send the packet."),
    "content_filtered": Meaning(
        "A filter stopped a harmless prompt or its answer.",
        "Ask again by hand with repro.sh; send the packet if it repeats."),
    "model_not_found": Meaning(
        "The model is unknown there.",
        "Check its name against the public model list."),
    "model_retired": Meaning(
        "The model was withdrawn: they say so, or their own list no longer names it.",
        "Move to its successor; look who else still uses it."),
    "bad_content_encoding": Meaning(
        "The body cannot be unpacked as its header says.",
        "Look for a proxy that packs twice; send the packet."),
    # ---- degradation
    "upstream_5xx": Meaning(
        "The API failed and said no more than that.",
        "Wait for the confirmations; if it persists, send the packet."),
    "upstream_error": Meaning(
        "The gateway could not reach or read what serves the model.",
        "Send the packet with the request ID; try another model or provider meanwhile."),
    "upstream_overloaded": Meaning(
        "The servers have no room for the request. It is load, not our limit, even under a 429.",
        "Wait, or move traffic to another model; send the packet if it lasts."),
    "no_channel": Meaning(
        "The gateway knows no server that could answer for this model just now.",
        "Look whether the model is still in the public list; try another one; send the packet."),
    "upstream_auth": Meaning(
        "The gateway's own key or region was refused by its provider. Our key is not meant.",
        "Do not rotate our key. Send the packet: only the gateway's operator can mend it."),
    "upstream_quota": Meaning(
        "The gateway's own account at its provider is out of money or quota.",
        "Do not top up ours before our balance was looked at. Send the packet."),
    "upstream_rate_limited": Meaning(
        "The provider limits the gateway as a whole, not us alone.",
        "Back off and wait; compare with our own limits; send the packet if it lasts."),
    "gateway_5xx": Meaning(
        "A proxy in front of the API failed before the API answered.",
        "Send the packet with the ray or request ID of the edge."),
    "gateway_timeout": Meaning(
        "A proxy in front of the API gave up waiting for it.",
        "Compare the time with earlier probes; send the packet with the time it took."),
    "gateway_internal": Meaning(
        "The gateway failed at its own work: its database, its price list, its code.",
        "Send the packet; nothing on our side helps."),
    "html_error_page": Meaning(
        "A 5xx came as a web page of an edge and not as an error of the API.",
        "Look at the provider's status page; send the packet with the ray ID."),
    "waf_block": Meaning(
        "A firewall in front of the API stopped the request. The API never saw it.",
        "Send the packet with the ray ID and our egress address; leave key and account alone."),
    "model_loading": Meaning(
        "The model is being loaded. Nothing can answer yet.",
        "Wait some minutes; if it repeats, ask for the model to be kept warm."),
    "request_timeout": Meaning(
        "The server says that it timed out, or did not take our request in time.",
        "Compare the time with earlier probes; send the packet if it repeats."),
    "connect_refused": Meaning(
        "The provider's host refused the connection.",
        "Look whether the controls answer; then send the packet with the connected address."),
    "connect_timeout": Meaning(
        "No connection came about in time.",
        "Look whether the controls answer: if they do not, it is our network."),
    "connection_reset": Meaning(
        "The connection was cut before the answer was whole.",
        "Look at the phase that was reached; send the packet if it repeats."),
    "read_timeout": Meaning(
        "Connected and sent, and no answer came within our deadline.",
        "Compare the deadline with earlier latencies; send the packet."),
    "tls_failure": Meaning(
        "TLS failed: an alert, or a certificate that is expired or of another host.",
        "Look at the certificate's dates and name in the packet; check that no proxy of ours is between."),
    "truncated_body": Meaning(
        "The answer began and was cut off.",
        "Send the packet: it says how many bytes had come."),
    "stream_error_event": Meaning(
        "The stream began with 200 and then carried an error: the status was spent.",
        "Read the quoted words; send the packet. Monitors that look at the status miss this."),
    "slow": Meaning(
        "The answer was right and took longer than `slow` allows.",
        "Look at lateness and loop lag beside it: is it their time or ours?"),
    # ---- auth_or_account
    "invalid_key": Meaning(
        "The key was refused.",
        "Was it rotated or mistyped? Try it by hand with repro.sh."),
    "missing_key": Meaning(
        "No key arrived.",
        "Look at the credential's variable or file, and at proxies that strip headers."),
    "expired_key": Meaning(
        "The key or token has expired.",
        "Make a new one in the provider's console and replace it in the credential."),
    "account_disabled": Meaning(
        "The account or this key was closed, suspended or restricted.",
        "Open the provider's console as the account's owner; then write to its support."),
    "model_not_permitted": Meaning(
        "The model is not for this account, or does not exist: they tell both the same way.",
        "Check the model's name, then the account's access to it."),
    "permission_denied": Meaning(
        "The key is known and may not do this.",
        "Look at the key's scopes and roles and at the account's verification."),
    "ip_not_allowed": Meaning(
        "Our address is not on the key's or the account's list.",
        "Has our egress address changed? Put the new one on the list."),
    "region_blocked": Meaning(
        "The provider does not serve the country that our address is in.",
        "Look where our egress is; has it moved?"),
    # ---- quota_or_billing
    "rate_limited": Meaning(
        "Too many requests or tokens in a short time.",
        "Honour Retry-After; find out which of our services sends so much."),
    "daily_limit": Meaning(
        "The allowance of a day, a week or a plan's window is used up.",
        "Look in the provider's console when it comes back, and who used it."),
    "insufficient_quota": Meaning(
        "No balance, credit or quota is left.",
        "Look at the balance in the provider's console; top up or raise the limit."),
    "token_quota_exhausted": Meaning(
        "This one key has a quota of its own, and it is used up. The account may have more.",
        "Raise the key's quota in the gateway, or use another key."),
    "budget_exceeded": Meaning(
        "A spending limit that someone set was reached.",
        "Ask who set it; raise it, or wait for the next period."),
    "billing_inactive": Meaning(
        "Billing is off: an unpaid invoice, no payment method, or no active plan.",
        "Tell whoever pays the bill."),
    # ---- probe_fault
    "dns_failure": Meaning(
        "The name was not resolved. While no independent control answers it counts as ours.",
        "Resolve the name from this host; look at its resolver."),
    "no_route": Meaning(
        "There is no route from here to there.",
        "Look at this host's network."),
    "proxy_error": Meaning(
        "The proxy that we go through failed or refused.",
        "Look at `network.proxy` and at that proxy's own log."),
    "local_trust_store": Meaning(
        "We do not trust the issuer of the certificate.",
        "Look at `network.ca_file`, and for a proxy that opens TLS."),
    "clock_skew": Meaning(
        "Our clock is wrong, or theirs is.",
        "Check time synchronisation on this host."),
    "local_resource": Meaning(
        "This host has run out of sockets, files or memory, or was too busy to time a slow answer.",
        "Look at the limits of the process, at the event loop's lag and at what else runs here."),
    "local_config": Meaning(
        "Our configuration makes a request that cannot be sent: URL, header or port.",
        "Run `freezeframe config check`."),
    "starved": Meaning(
        "The answer is empty because our own token limit is too small for a model that reasons first.",
        "Raise `max_tokens` in `request`."),
    # ---- missed
    "late": Meaning(
        "The tick started too late to count: this host was busy or asleep.",
        "Look at the host's load and at the event loop's lag."),
    "overrun": Meaning(
        "The previous probe of this target was still waiting when this one was due.",
        "Look at the previous probe: its verdict is the news. Is `timeout` close to `cadence`?"),
}
# fmt: on
