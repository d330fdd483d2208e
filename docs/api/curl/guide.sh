#!/bin/bash
# A campaign from its draft to its result, with curl and jq.
#
#   CAMPAIGND_URL=http://127.0.0.1:8080 CAMPAIGND_TOKEN=... docs/api/curl/guide.sh
set -euo pipefail
base=${CAMPAIGND_URL:-http://127.0.0.1:8080}
run=${RUN:-$(date +%s)}

call() {  # METHOD PATH [JSON]
  curl --silent --show-error --fail-with-body --request "$1" "$base$2" \
    --header "Authorization: Bearer ${CAMPAIGND_TOKEN:-none}" \
    ${3:+--header "Content-Type: application/json" --data "$3"}
}

# 1. A draft. It may be incomplete. The same Idempotency-Key gives the same wizard again.
wizard=$(curl --silent --show-error --fail-with-body "$base/v1/wizards" \
  --header "Authorization: Bearer ${CAMPAIGND_TOKEN:-none}" \
  --header "Idempotency-Key: guide-curl-$run" --header "Content-Type: application/json" \
  --data '{"campaign": {"campaign_name": "Spring running programme", "channels": ["email", "blog"]}}')
id=$(jq -r .wizard_id <<<"$wizard")

# 2. What is missing, all at once.
call POST "/v1/wizards/$id/validate" '{}' | jq -r '.violations[] | "missing: \(.field) \(.description)"'

# 3. Fill it in. If somebody else changed it in the meantime, the etag is refused with 409.
call PATCH "/v1/wizards/$id" "$(jq -n --arg etag "$(jq -r .etag <<<"$wizard")" '{etag: $etag, campaign: {
  campaign_goals: ["500 sign-ups before the first of May"], research_sources: ["notion", "memory"],
  target_audience: "people in cities who ran last year", tone: "casual", reviewers: ["U0REVIEWER1"]}}')" >/dev/null

# 4. Start it.
workflow=$(call POST "/v1/wizards/$id/approve" '{}' | jq -r .workflow_id)
echo "started: $workflow"

# 5. Follow it by server-sent events until it waits for a decision.
while IFS= read -r line; do
  [[ $line == "data: {"* ]] || continue
  jq -r '"\(.progress_percentage) % \(.current_phase)"' <<<"${line#data: }"
  [[ $(jq .waiting_for_approval <<<"${line#data: }") == true ]] && break
done < <(curl --silent --no-buffer "$base/v1/workflows/$workflow/watch" \
  --header "Authorization: Bearer ${CAMPAIGND_TOKEN:-none}")

# 6. Decide. The first decision wins; a second one is told who decided.
call POST "/v1/workflows/$workflow/signals/approve" '{"comment": "Go."}' >/dev/null

# 7. The result, when it is there. Each call waits for a minute at most.
until result=$(call GET "/v1/workflows/$workflow/result?wait=60s") &&
  [[ $(jq -r .status <<<"$result") != RUNNING ]]; do :; done
jq -r '"\(.status): \(.result.value.published_channels | join(", "))"' <<<"$result"
