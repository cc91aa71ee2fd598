<?php
// Takes a payment, gives it back, and reads the truth: with PHP 8 and no extension.
// YUANLU_URL, YUANLU_KEY (asks) and YUANLU_APPROVER_KEY (decides) say where and as whom.
declare(strict_types=1);

$asker = getenv('YUANLU_KEY');
$approver = getenv('YUANLU_APPROVER_KEY');
$openid = $argv[1] ?? 'oUpF8uMuAJO2pxb1Q9zNjWeS6o';

/** The answer as an array; a refusal ends the program with its document. */
function call(string $key, string $method, string $path, ?array $body = null, ?string $once = null): array
{
    $headers = ["Authorization: Bearer $key", 'Content-Type: application/json'];
    if ($once !== null) {
        $headers[] = "Idempotency-Key: $once";
    }
    $http = ['method' => $method, 'header' => $headers, 'timeout' => 15, 'ignore_errors' => true];
    if ($body !== null) {
        $http['content'] = json_encode($body, JSON_THROW_ON_ERROR);
    }
    $context = stream_context_create(['http' => $http]);
    $stream = fopen(getenv('YUANLU_URL') . $path, 'r', false, $context);
    $answer = json_decode(stream_get_contents($stream), true, 32, JSON_THROW_ON_ERROR);
    if (!preg_match('{^HTTP/\S+ 2}', stream_get_meta_data($stream)['wrapper_data'][0])) {
        throw new RuntimeException("$method $path: {$answer['code']}: {$answer['detail']}");
    }
    return $answer;
}

/** Asks once a second, for two minutes at most. */
function untilState(string $key, string $path, string $state): void
{
    for ($try = 0; $try < 120; $try++) {
        if (call($key, 'GET', $path)['state'] === $state) {
            return;
        }
        sleep(1);
    }
    throw new RuntimeException("$path did not become $state.");
}

// The key makes this safe to send again: whatever was lost on the way, there is one payment.
$order = 'order-' . bin2hex(random_bytes(12));
$wanted = ['amountFen' => 100, 'description' => 'A cup of tea', 'openid' => $openid, 'orderRef' => $order];
$payment = call($asker, 'POST', '/v1/payments', $wanted, $order);
echo "payment {$payment['id']} waits for the buyer\n";
untilState($asker, "/v1/payments/{$payment['id']}", 'paid');

$wanted = ['paymentId' => $payment['id'], 'amountFen' => 100, 'reason' => 'Cold tea', 'actingUser' => 'li.na'];
$refund = call($asker, 'POST', '/v1/refunds', $wanted, "$order-refund");
echo "refund {$refund['id']} waits for somebody else\n";
$decision = ['actingUser' => 'wang.wei', 'reason' => 'It was cold.'];
call($approver, 'POST', "/v1/refunds/{$refund['id']}/approve", $decision);
// Approved is not refunded, and neither is accepted: done is.
untilState($asker, "/v1/refunds/{$refund['id']}", 'done');
$truth = call($asker, 'GET', "/v1/payments/{$payment['id']}");
echo "refunded {$truth['refundedFen']} fen\n";
