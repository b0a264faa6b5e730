<?php
// The guide's PHP example (step 9), unchanged, with what it leaves to its reader
// around it.
$webhookSecret = getenv('WEBHOOK_SECRET');

function verifySignature(string $rawBody, string $signatureHeader, string $secret): bool {
$expected = hash_hmac('sha256', $rawBody, $secret);
return hash_equals($expected, $signatureHeader);
}
// In your handler:
$rawBody = file_get_contents('php://input');
$signature = $_SERVER['HTTP_X_WEBHOOK_SIGNATURE'];
$event = $_SERVER['HTTP_X_WEBHOOK_EVENT'];
if (!verifySignature($rawBody, $signature, $webhookSecret)) {
http_response_code(401);
echo 'Invalid signature';
exit;
}
$payload = json_decode($rawBody, true);
// Process the event...

header('Content-Type: text/plain');
echo $event, ' ', $payload['event'], ' ', $payload['delivery_id'];
