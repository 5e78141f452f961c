// Google's token endpoint and FCM's HTTP v1 API, as their documentation has them.
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import { behaviour, decodeToken, read, start, tell } from "./peer.js";

const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const tokens = new Set();

start((settings) => {
  const server = http.createServer((request, response) => {
    read(request, (body) => {
      const serve = request.url === "/token" ? grant : send;
      serve(settings, server.address().port, request, body, (status, answer, headers) => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
      });
    });
  });
  server.listen(0, "127.0.0.1", () => tell({ listening: server.address().port }));
});

function grant(settings, port, request, body, answer) {
  const form = new URLSearchParams(body.toString());
  const assertion = form.get("assertion") ?? "";
  const fault = faultOf(settings, port, form, assertion);
  tell({ request: { path: "/token", fault, ...decodeToken(assertion) } });
  const { wait = 0, never, status, body: said, lifetime = 3599, headers } = behaviour("token");
  if (never) return;
  setTimeout(() => {
    if (fault) answer(400, { error: "invalid_grant", error_description: fault });
    else if (status) answer(status, said ?? {}, headers);
    else {
      const token = `ya29.${crypto.randomUUID()}`;
      tokens.add(token);
      answer(200, { access_token: token, expires_in: lifetime, token_type: "Bearer" });
    }
  }, wait);
}

function faultOf(settings, port, form, assertion) {
  if (form.get("grant_type") !== GRANT) return "another grant";
  const signed = assertion.slice(0, assertion.lastIndexOf("."));
  const signature = Buffer.from(assertion.split(".")[2], "base64url");
  const key = fs.readFileSync(settings.publicKeyFile);
  if (!crypto.verify("RSA-SHA256", Buffer.from(signed), key, signature)) return "bad signature";
  const { header, claims } = decodeToken(assertion);
  const now = Date.now() / 1000;
  if (header.alg !== "RS256" || header.kid !== settings.keyId) return "another key";
  if (claims.iss !== settings.email || claims.scope !== SCOPE) return "another account or scope";
  if (claims.aud !== `http://127.0.0.1:${port}/token`) return "another audience";
  if (claims.exp - claims.iat > 3600 || claims.exp < now || claims.iat > now + 60) return "bad times";
  return null;
}

function send(settings, port, request, body, answer) {
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const { message } = JSON.parse(body);
  const fault = shapeFault(settings, request, message);
  tell({ request: { path: request.url, accessToken: token, message, fault } });
  const todo = behaviour(message?.token);
  if (todo.forgetTokens) tokens.clear();
  setTimeout(() => {
    if (todo.hangUp) request.socket.destroy();
    else if (todo.never) return;
    else if (!tokens.has(token)) answer(401, error(401, "UNAUTHENTICATED", "bad credentials"));
    else if (fault) answer(400, error(400, "INVALID_ARGUMENT", fault));
    else if (todo.error) answer(todo.error.code, { error: todo.error }, todo.headers);
    else if (todo.status) answer(todo.status, todo.body ?? "", todo.headers);
    else {
      const tag = message.android.notification.tag;
      answer(200, { name: `projects/${settings.project}/messages/${tag}` });
    }
  }, todo.wait ?? 0);
}

function error(code, status, message) {
  return { error: { code, status, message } };
}

const STRING = (value) => typeof value === "string";

function shapeFault(settings, request, message) {
  if (request.url !== `/v1/projects/${settings.project}/messages:send`) return "another path";
  if (!STRING(message?.token)) return "no token";
  const known = ["token", "notification", "data", "android", "apns", "webpush", "fcm_options"];
  const unknown = Object.keys(message).find((name) => !known.includes(name));
  if (unknown) return `unknown name "${unknown}"`;
  const { title, body } = message.notification;
  if (!STRING(title) || !STRING(body)) return "notification.title and body are strings";
  if (!Object.values(message.data).every(STRING)) return "data values are strings";
  if (!["HIGH", "NORMAL"].includes(message.android.priority)) return "android.priority";
  if (message.android.ttl && !/^\d+s$/.test(message.android.ttl)) return "android.ttl";
  if (!Object.values(message.apns.headers).every(STRING)) return "apns.headers are strings";
  return null;
}
