import { createServer } from 'node:http';

// Answers the ready hook, the smoke test and everybody else.
createServer((request, response) => {
  console.log(request.method, request.url);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ status: 'ok', path: request.url }));
}).listen(8080, '0.0.0.0');
