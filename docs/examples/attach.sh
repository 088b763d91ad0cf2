#!/usr/bin/env bash
# Send one file; a message names it by the id that is answered: attach.sh FILE
# Luotsi finds the type in the content. The same file again has the same id, so any failure is tried again.
# LUOTSI_TOKEN is your source's token, LUOTSI_INTAKE_URL where intake answers.
set -euo pipefail
curl --fail-with-body --silent --show-error --max-time 90 --retry 5 --retry-connrefused \
  "${LUOTSI_INTAKE_URL:-http://127.0.0.1:8101}/v1/attachments" \
  -H "Authorization: Bearer $LUOTSI_TOKEN" -H "Content-Type: application/octet-stream" \
  --data-binary "@$1"
