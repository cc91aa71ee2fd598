#!/bin/sh
# Waits for the Temporal server, then makes the namespace and the search attributes that the
# workflows set; what exists is kept. TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where.
set -eu

RETENTION=${TEMPORAL_RETENTION:-720h}
TRIES_MAX=60
# The server's parts read new search attributes anew within a minute, and until then refuse a
# workflow that carries one. Whoever waits for this job can start workflows at once.
SETTLE_SECONDS=${TEMPORAL_SETTLE_SECONDS:-60}

quietly() {
  "$@" >/dev/null 2>&1
}

try=0
until quietly temporal operator cluster health; do
  try=$((try + 1))
  if [ "$try" -ge "$TRIES_MAX" ]; then
    echo "Temporal does not answer at $TEMPORAL_ADDRESS." >&2
    exit 1
  fi
  sleep 2
done

if ! quietly temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE"; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

# A new namespace is known to every part of the server only after a while, so this is repeated.
attributes() {
  temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"
}

made=0
make_attribute() {
  if attributes | grep -q "^ *$1 "; then return 0; fi
  temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
    --name "$1" --type "$2" || return 1
  made=$((made + 1))
}

while read -r name kind; do
  try=0
  until make_attribute "$name" "$kind"; do
    try=$((try + 1))
    if [ "$try" -ge "$TRIES_MAX" ]; then
      echo "The search attribute $name could not be made." >&2
      exit 1
    fi
    sleep 2
  done
done <<'LIST'
YuanluMerchant Keyword
YuanluPayment Keyword
YuanluOrder Keyword
YuanluRefund Keyword
YuanluAttention Keyword
YuanluAmountFen Int
YuanluDueAt Datetime
LIST

if [ "$made" -gt 0 ]; then sleep "$SETTLE_SECONDS"; fi
echo "The namespace $TEMPORAL_NAMESPACE and its search attributes are there."
