import { createServer } from 'node:http';

// The app on 8080, every hook on 9000: both just answer.
for (const port of [8080, 9000]) {
  createServer((_request, response) => response.end('ok')).listen(port, '0.0.0.0');
}
