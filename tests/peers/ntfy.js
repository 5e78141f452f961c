// An ntfy server as its documentation has it: messages are published as JSON to its root.
import http from "node:http";
import { behaviour, read, start, tell } from "./peer.js";

start((settings) => {
  const server = http.createServer((request, response) => {
    read(request, (body) => {
      const message = JSON.parse(body);
      tell({ request: { path: request.url, headers: request.headers, message } });
      const [status, answer, headers] = judged(settings, request, message);
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(answer));
    });
  });
  server.listen(0, "127.0.0.1", () => tell({ listening: server.address().port }));
});

function judged(settings, request, message) {
  const todo = behaviour(message.topic);
  if (settings.authorization && request.headers.authorization !== settings.authorization) {
    return fault(401, 40101, "unauthorized");
  }
  if (todo.status) return [...fault(todo.status, todo.code, todo.error), todo.headers];
  if (request.url !== "/") return fault(404, 40401, "page not found");
  if (!/^[-_A-Za-z0-9]{1,64}$/.test(message.topic)) return fault(400, 40009, "topic invalid");
  if (![1, 2, 3, 4, 5].includes(message.priority)) return fault(400, 40007, "invalid priority");
  return [200, { id: `id-${message.sequence_id}`, time: 1, event: "message", topic: message.topic }];
}

function fault(http, code, error) {
  return [http, { code, http, error }];
}
