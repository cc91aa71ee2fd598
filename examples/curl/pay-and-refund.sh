#!/bin/sh
# Takes a payment, gives it back, and reads the truth: with curl and a POSIX shell alone.
# YUANLU_URL, YUANLU_KEY (asks) and YUANLU_APPROVER_KEY (decides) say where and as whom.
set -eu

openid=${1:-oUpF8uMuAJO2pxb1Q9zNjWeS6o}
order="order-$(date +%s)-$$"

# call KEY METHOD PATH [BODY [IDEMPOTENCY-KEY]]: the answer, or the reason and status 1.
call() {
  curl --silent --show-error --fail-with-body --max-time 15 --request "$2" "$YUANLU_URL$3" \
    --header "Authorization: Bearer $1" --header 'Content-Type: application/json' \
    --header "Idempotency-Key: ${5:-none}" ${4:+--data "$4"}
}

# field NAME: the first value of a member with this name, out of JSON that we know the shape of.
field() {
  sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1
}

# until_state PATH STATE: asks once a second, for two minutes at most.
until_state() {
  tries=0
  while [ "$(call "$YUANLU_KEY" GET "$1" | grep -o '"state":"[a-z_]*"' | head -n 1)" \
    != "\"state\":\"$2\"" ]; do
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ]; then
      echo "$1 did not become $2." >&2
      exit 1
    fi
    sleep 1
  done
}

# The key makes this safe to send again: whatever was lost on the way, there is one payment.
payment=$(call "$YUANLU_KEY" POST /v1/payments \
  "{\"amountFen\":100,\"description\":\"A cup of tea\",\"openid\":\"$openid\",\"orderRef\":\"$order\"}" \
  "$order" | grep -o '"id":"[0-9a-f-]*"' | head -n 1 | cut -d '"' -f 4)
echo "payment $payment waits for the buyer"
until_state "/v1/payments/$payment" paid

refund=$(call "$YUANLU_KEY" POST /v1/refunds \
  "{\"paymentId\":\"$payment\",\"amountFen\":100,\"reason\":\"Cold tea\",\"actingUser\":\"li.na\"}" \
  "$order-refund" | grep -o '"id":"[0-9a-f-]*"' | head -n 1 | cut -d '"' -f 4)
echo "refund $refund waits for somebody else"
call "$YUANLU_APPROVER_KEY" POST "/v1/refunds/$refund/approve" \
  '{"actingUser":"wang.wei","reason":"It was cold."}' >/dev/null
# Approved is not refunded, and neither is accepted: done is.
until_state "/v1/refunds/$refund" done

echo "refunded $(call "$YUANLU_KEY" GET "/v1/payments/$payment" | field refundedFen) fen"
