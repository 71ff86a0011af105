import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Pool } from 'undici';
import { listenAndTell } from './child.ts';

// The least a gateway in this language can be: node:http in front, undici behind, nothing decided in between.
const upstream = process.env.UPSTREAM_URL;
if (upstream === undefined) throw new Error('UPSTREAM_URL is not set');
const pool = new Pool(upstream, { connections: 128 });

listenAndTell(
  createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = await pool.request({
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.concat(chunks),
    });
    const type = String(answer.headers['content-type']);
    response.writeHead(answer.statusCode, { 'content-type': type });
    if (type === 'text/event-stream') await pipeline(answer.body, response);
    else response.end(Buffer.from(await answer.body.arrayBuffer()));
  }),
);
