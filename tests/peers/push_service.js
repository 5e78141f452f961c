// A browser's push service (RFC 8030) and the browser behind it: it checks VAPID with node's
// crypto, and decrypts with http_ece.
import crypto from "node:crypto";
import fs from "node:fs";
import https from "node:https";
import ece from "http_ece";
import { behaviour, decodeToken, read, start, tell } from "./peer.js";

const browser = crypto.createECDH("prime256v1");
const auth = crypto.randomBytes(16);

start((settings) => {
  const pem = fs.readFileSync(settings.certFile);
  const server = https.createServer({ key: pem, cert: pem });
  server.on("request", (request, response) => {
    read(request, (body) => serve(server, request, response, body));
  });
  browser.generateKeys();
  server.listen(0, "127.0.0.1", () => tell({
    listening: server.address().port,
    keys: { p256dh: browser.getPublicKey("base64url"), auth: auth.toString("base64url") },
  }));
});

function serve(server, request, response, body) {
  const origin = `https://127.0.0.1:${server.address().port}`;
  const { fault, claims } = vapid(request.headers.authorization ?? "", origin);
  const { unreadable, text } = decrypted(request.headers, body);
  tell({
    request: {
      path: request.url,
      headers: request.headers,
      size: body.length,
      claims,
      text,
      fault: fault ?? unreadable ?? null,
    },
  });
  const todo = fault ? { status: 403, body: fault } : behaviour(request.url);
  setTimeout(() => act(request, response, todo, origin), todo.wait ?? 0);
}

function act(request, response, todo, origin) {
  if (todo.hangUp) request.socket.destroy();
  else if (!todo.never) {
    const location = `${origin}/m/${request.headers.topic}`;
    response.writeHead(todo.status ?? 201, { location, ...todo.headers });
    response.end(todo.body ?? "");
  }
}

function vapid(authorization, origin) {
  const [, token, key] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? [];
  if (!token) return { fault: "no VAPID" };
  const { header, claims } = decodeToken(token);
  const point = Buffer.from(key, "base64url");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const genuine = crypto.verify(
    "sha256",
    Buffer.from(token.slice(0, token.lastIndexOf("."))),
    { key: crypto.createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    Buffer.from(token.split(".")[2], "base64url"),
  );
  const left = claims.exp - Date.now() / 1000;
  if (!genuine || header.alg !== "ES256") return { fault: "a bad signature", claims };
  if (claims.aud !== origin) return { fault: "another audience", claims };
  if (left < 0 || left > 24 * 3600) return { fault: "a bad expiry", claims };
  return { claims };
}

function decrypted(headers, body) {
  if (headers["content-encoding"] !== "aes128gcm") return { unreadable: "another encoding" };
  if (!/^\d+$/.test(headers.ttl ?? "")) return { unreadable: "no TTL" };
  try {
    const plain = ece.decrypt(body, { version: "aes128gcm", privateKey: browser, authSecret: auth });
    return { text: plain.toString() };
  } catch (error) {
    return { unreadable: String(error) };
  }
}
