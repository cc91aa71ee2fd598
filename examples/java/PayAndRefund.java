import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Takes a payment, gives it back, and reads the truth: with Java 11 alone, which has no JSON, so
 * members are read by their names. YUANLU_URL, YUANLU_KEY (asks) and YUANLU_APPROVER_KEY (decides).
 */
class PayAndRefund {
  static final String ASKER = System.getenv("YUANLU_KEY");

  static String call(String key, String method, String path, String body, String once)
      throws Exception {
    var request = HttpRequest.newBuilder(URI.create(System.getenv("YUANLU_URL") + path))
        .timeout(Duration.ofSeconds(15)).header("Authorization", "Bearer " + key)
        .header("Content-Type", "application/json").header("Idempotency-Key", once)
        .method(method, HttpRequest.BodyPublishers.ofString(body)).build();
    var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    if (answer.statusCode() >= 300) throw new IllegalStateException(answer.body());
    return answer.body();
  }

  static String member(String json, String name) {
    var found = Pattern.compile("\"" + name + "\":\"?([^\",}]*)").matcher(json);
    return found.find() ? found.group(1) : "";
  }

  /** Asks once a second, for two minutes at most. */
  static void untilState(String path, String state) throws Exception {
    for (int tries = 0; tries < 120; tries++) {
      if (member(call(ASKER, "GET", path, "", "none"), "state").equals(state)) return;
      Thread.sleep(1_000);
    }
    throw new IllegalStateException(path + " did not become " + state);
  }

  public static void main(String[] args) throws Exception {
    var openid = args.length > 0 ? args[0] : "oUpF8uMuAJO2pxb1Q9zNjWeS6o";
    // The key makes this safe to send again: whatever was lost, there is one payment.
    var order = "order-" + UUID.randomUUID();
    var wanted = String.format("{\"amountFen\":100,\"description\":\"A cup of tea\","
        + "\"openid\":\"%s\",\"orderRef\":\"%s\"}", openid, order);
    var payment = member(call(ASKER, "POST", "/v1/payments", wanted, order), "id");
    System.out.println("payment " + payment + " waits for the buyer");
    untilState("/v1/payments/" + payment, "paid");
    var asked = String.format("{\"paymentId\":\"%s\",\"amountFen\":100,"
        + "\"reason\":\"Cold tea\",\"actingUser\":\"li.na\"}", payment);
    var refund = member(call(ASKER, "POST", "/v1/refunds", asked, order + "-refund"), "id");
    System.out.println("refund " + refund + " waits for somebody else");
    call(System.getenv("YUANLU_APPROVER_KEY"), "POST", "/v1/refunds/" + refund + "/approve",
        "{\"actingUser\":\"wang.wei\",\"reason\":\"It was cold.\"}", "none");
    untilState("/v1/refunds/" + refund, "done"); // Approved and accepted are not refunded.
    var truth = member(call(ASKER, "GET", "/v1/payments/" + payment, "", "none"), "refundedFen");
    System.out.println("refunded " + truth + " fen");
  }
}
