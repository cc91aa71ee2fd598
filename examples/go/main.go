// Takes a payment, gives it back, and reads the truth: with the standard library alone.
// YUANLU_URL, YUANLU_KEY (asks) and YUANLU_APPROVER_KEY (decides) say where and as whom.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

type object = map[string]any

var asker, client = os.Getenv("YUANLU_KEY"), http.Client{Timeout: 15 * time.Second}

func call(key, method, path string, body object, once string) (answer object) {
	data, _ := json.Marshal(body)
	request, err := http.NewRequest(method, os.Getenv("YUANLU_URL")+path, bytes.NewReader(data))
	if err != nil {
		log.Fatal(err)
	}
	request.Header = http.Header{"Authorization": {"Bearer " + key},
		"Content-Type": {"application/json"}, "Idempotency-Key": {once}}
	reply, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(&answer); err != nil || reply.StatusCode >= 300 {
		log.Fatal(method, " ", path, ": ", answer, err)
	}
	return answer
}

func untilState(path, state string) { // Asks once a second, for two minutes at most.
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		if call(asker, "GET", path, nil, "none")["state"] == state {
			return
		}
	}
	log.Fatal(path, " did not become ", state)
}

func main() {
	// The key makes this safe to send again: whatever was lost, there is one payment.
	order := fmt.Sprint("order-", time.Now().UnixNano())
	payment := call(asker, "POST", "/v1/payments", object{"amountFen": 100, "orderRef": order,
		"description": "A cup of tea", "openid": append(os.Args, "oUpF8uMuAJO2pxb1Q9zNjWeS6o")[1]}, order)["id"]
	fmt.Println("payment", payment, "waits for the buyer")
	untilState(fmt.Sprint("/v1/payments/", payment), "paid")
	refund := fmt.Sprint("/v1/refunds/", call(asker, "POST", "/v1/refunds", object{"paymentId": payment,
		"amountFen": 100, "reason": "Cold tea", "actingUser": "li.na"}, order+"-refund")["id"])
	call(os.Getenv("YUANLU_APPROVER_KEY"), "POST", refund+"/approve", object{"actingUser": "wang.wei", "reason": "It was cold."}, "none")
	untilState(refund, "done") // Approved and accepted are not refunded.
	fmt.Println("refunded", call(asker, "GET", fmt.Sprint("/v1/payments/", payment), nil, "none")["refundedFen"], "fen")
}
