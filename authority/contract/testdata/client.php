<?php
// A client as stores have it: it never throws, takes every 2xx for success, caches
// the answer, and reads the documented fields.
//
//   php client.php URL STORE KEY CACHE ACTION [ARGUMENTS]
//
// It prints what it knows afterwards, one "name=value" a line.

final class CertificationClient
{
    public function __construct(
        private string $url, private string $store, private string $key, private string $cache
    ) {}

    private function call(string $method, string $path, ?array $body = null): ?array
    {
        $http = [
            'method' => $method, 'ignore_errors' => true, 'timeout' => 10,
            'header' => "X-VendWeave-Key: {$this->key}\r\nX-VendWeave-Store: {$this->store}\r\n" .
                "Content-Type: application/json\r\nAccept: application/json\r\n",
        ];
        if ($body !== null) {
            $http['content'] = json_encode($body);
        }
        $raw = @file_get_contents($this->url . '/api/certify' . $path, false, stream_context_create(['http' => $http]));
        if ($raw === false) {
            return null;
        }
        $headers = function_exists('http_get_last_response_headers') ? http_get_last_response_headers() : $http_response_header;
        $status = (int) explode(' ', $headers[0])[1];
        $data = json_decode($raw, true);
        if (!is_array($data)) {
            return null;
        }
        return ['success' => $status >= 200 && $status < 300, 'http' => $status, 'data' => $data];
    }

    private function remember(array $data): void
    {
        file_put_contents($this->cache, json_encode($data));
    }

    public function cached(): array
    {
        return is_file($this->cache) ? json_decode(file_get_contents($this->cache), true) : [];
    }

    public function request(string $domain, string $project, array $snapshot): ?array
    {
        $r = $this->call('POST', '/request', [
            'domain' => $domain, 'project_name' => $project, 'store_slug' => $this->store, 'snapshot' => $snapshot,
        ]);
        if ($r !== null && $r['success']) {
            $this->remember($r['data']);
        }
        return $r;
    }

    public function status(string $domain): ?array
    {
        $r = $this->call('GET', '/status?domain=' . urlencode($domain));
        if ($r !== null && $r['success']) {
            $this->remember($r['data']);
        }
        return $r;
    }

    public function verify(string $hash): ?array
    {
        return $this->call('GET', '/verify/' . $hash);
    }

    public function renew(array $snapshot): ?array
    {
        $r = $this->call('POST', '/renew', ['verification_hash' => $this->cached()['verification_hash'] ?? '', 'snapshot' => $snapshot]);
        if ($r !== null && $r['success']) {
            $this->remember($r['data']);
        }
        return $r;
    }

    public function revoke(string $reason): ?array
    {
        return $this->call('POST', '/revoke', ['verification_hash' => $this->cached()['verification_hash'] ?? '', 'reason' => $reason]);
    }
}

[, $url, $store, $key, $cache, $action] = $argv;
$client = new CertificationClient($url, $store, $key, $cache);
$snapshot = json_decode(getenv('SNAPSHOT') ?: '{}', true);
$answer = match ($action) {
    'request' => $client->request($argv[6], 'My Store', $snapshot),
    'status' => $client->status($argv[6]),
    'verify' => $client->verify($client->cached()['verification_hash'] ?? ''),
    'renew' => $client->renew($snapshot),
    'revoke' => $client->revoke($argv[6]),
};
$show = fn ($v) => is_array($v) ? implode(',', $v) : (is_bool($v) ? ($v ? 'true' : 'false') : (string) $v);
echo 'success=', $show($answer['success'] ?? false), "\n", 'http=', $answer['http'] ?? 0, "\n";
$known = $answer['data'] ?? [];
foreach (['status', 'badge_code', 'badge_name', 'verification_hash', 'project_name', 'expires_at', 'features',
    'revoke_reason', 'reason', 'revoked_at', 'valid', 'error_code', 'upgraded', 'downgraded', 'downgrade_reason'] as $name) {
    if (isset($known[$name])) {
        echo $name, '=', $show($known[$name]), "\n";
    }
}
