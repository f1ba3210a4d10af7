#!/bin/sh
# Sanitized repro of packet {{ packet_id | cell }}: one real, billed request, as the probe sent it. Needs sh and curl >= 7.55.
# The key comes from the environment and reaches curl through a pipe, so it stands in no process list:
#   API_KEY=... sh repro.sh
set -eu
: "${API_KEY:?put the API key into the environment variable API_KEY}"
out={{ (packet_id ~ "-response.json") | shell }}
rm -f -- "$out"  # what an earlier run saved is not this answer
code=0
printf '%s%s%s\n' {{ curl.auth_before | shell }} "$API_KEY" {{ curl.auth_after | shell }} |
  curl -q -sS -X {{ request.method | shell }} --globoff --max-time {{ target.timeout_s }} --url {{ request.url | shell }} \
    -H @- \
{% for header in curl.headers %}
    -H {{ header | shell }} \
{% endfor %}
    --data-raw {{ request.body | shell }} \
    -o "$out" \
    -w '\nstatus=%{http_code} time_total=%{time_total}\n' || code=$?
# status=000: no reply. curl's exit code says how it broke off: 7 not connected, 18 cut short, 28 out of time, 52 empty.
[ "$code" -eq 0 ] || printf 'curl ended with %s\n' "$code"
[ ! -e "$out" ] || printf 'response in %s (not redacted: read it before sharing it)\n' "$out"
exit "$code"
