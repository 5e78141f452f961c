// APNs as its documentation has it, over node's HTTP/2 (nghttp2): one device token, one behaviour.
import crypto from "node:crypto";
import fs from "node:fs";
import http2 from "node:http2";
import { behaviour, decodeToken, read, start, tell } from "./peer.js";

let sessions = 0;

start((settings) => {
  const server = http2.createSecureServer({
    key: fs.readFileSync(settings.keyFile),
    cert: fs.readFileSync(settings.certFile),
    settings: settings.http2 ?? {},
  });
  let arrived;
  server.prependListener("secureConnection", (socket) => { arrived = socket; });
  server.on("session", (session) => {
    session.number = ++sessions;
    session.wire = arrived;
    session.requests = 0;
    session.on("error", () => {});
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    read(stream, (body) => serve(settings, stream, headers, body));
  });
  server.listen(0, "127.0.0.1", () => tell({ listening: server.address().port }));
});

function serve(settings, stream, headers, body) {
  const token = headers[":path"].replace("/3/device/", "");
  const fault = faultOf(settings, headers, body);
  tell({
    request: {
      token,
      session: stream.session.number,
      headers: { ...headers },
      body: body.toString(),
      fault,
    },
  });
  if (fault) {
    answer(stream, headers, { status: 403, body: { reason: fault } });
    return;
  }
  const { each, ...todo } = behaviour(token);
  stream.session.requests += 1;
  if (each && stream.session.requests % each) {
    setTimeout(() => answer(stream, headers, {}), todo.wait ?? 0);
    return;
  }
  if (todo.goaway !== undefined) {
    stream.session.goaway(todo.goaway, stream.id);
  }
  setTimeout(() => act(stream, headers, todo), todo.wait ?? 0);
}

function act(stream, headers, todo) {
  if (todo.reset !== undefined) stream.close(todo.reset);
  else if (todo.hangUp) stream.session.destroy();
  else if (todo.cut) cut(stream, headers);
  else if (todo.half && !stream.destroyed) {
    stream.respond({ ":status": 200 });
    stream.write("{");
    setTimeout(() => stream.destroy(new Error("half")), 20);
  } else if (!todo.never) answer(stream, headers, todo);
}

// Hang up without GOAWAY once this has been answered.
function cut(stream, headers) {
  if (stream.destroyed) return;
  const { wire } = stream.session;
  stream.on("close", () => setImmediate(() => wire.destroy()));
  answer(stream, headers, {});
}

function answer(stream, headers, { status = 200, body, headers: more = {} }) {
  if (stream.destroyed) return;
  stream.respond({ ":status": status, "apns-id": headers["apns-id"], ...more });
  stream.end(body === undefined ? "" : JSON.stringify(body));
}

function faultOf(settings, headers, body) {
  const bearer = (headers.authorization ?? "").replace(/^bearer /, "");
  if (!bearer) return "MissingProviderToken";
  const [signed, signature] = [bearer.slice(0, bearer.lastIndexOf(".")), bearer.split(".")[2]];
  const key = { key: fs.readFileSync(settings.publicKeyFile), dsaEncoding: "ieee-p1363" };
  const genuine = crypto.verify(
    "sha256", Buffer.from(signed), key, Buffer.from(signature, "base64url"));
  const { header, claims } = decodeToken(bearer);
  const age = Date.now() / 1000 - claims.iat;
  if (!genuine || header.alg !== "ES256") return "InvalidProviderToken";
  if (header.kid !== settings.keyId || claims.iss !== settings.team) return "InvalidProviderToken";
  if (age > 3600 || age < -60) return "ExpiredProviderToken";
  if (headers["apns-topic"] !== settings.topic) return "TopicDisallowed";
  if (!/^[0-9a-f]+$/.test(headers[":path"].replace("/3/device/", ""))) return "BadPath";
  if (body.length > 4096) return "PayloadTooLarge";
  return JSON.parse(body).aps ? null : "PayloadEmpty";
}
