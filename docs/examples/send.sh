#!/usr/bin/env bash
# Send one notification over HTTP: send.sh FILE ID
# What may pass (503, no answer) is tried again; a refusal is not.
# LUOTSI_TOKEN is your source's token, LUOTSI_INTAKE_URL where intake answers.
set -euo pipefail
curl --fail-with-body --silent --show-error --max-time 30 --retry 5 --retry-connrefused \
  "${LUOTSI_INTAKE_URL:-http://127.0.0.1:8101}/v1/notifications" \
  -H "Authorization: Bearer $LUOTSI_TOKEN" -H "ce-id: $2" -H "Content-Type: application/json" \
  --data-binary "@$1"
