// The guide's Node.js example (step 9), unchanged, with a server around it.
const crypto = require('crypto');
function verifySignature(rawBody, signatureHeader, secret) {
const expected = crypto
.createHmac('sha256', secret)
.update(rawBody)
.digest('hex');
return crypto.timingSafeEqual(
Buffer.from(signatureHeader),
Buffer.from(expected)
);
}

const server = require('http').createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const rawBody = Buffer.concat(parts);
    if (!verifySignature(rawBody, req.headers['x-webhook-signature'], process.env.WEBHOOK_SECRET)) {
      res.statusCode = 401;
      res.end('Invalid signature');
      return;
    }
    const payload = JSON.parse(rawBody);
    res.end(req.headers['x-webhook-event'] + ' ' + payload.event + ' ' + payload.delivery_id);
  });
});
server.listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port));
