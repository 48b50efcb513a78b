// A stock NestJS client that a test tells what to ask: a line of JSON in is a request, a line of JSON out is what the
// client's Observable gave, `{ values, completed }` or `{ error }`. With `each`, every value has a line `{ value }` of its
// own, as it comes.

import { createInterface } from 'node:readline';
import { Logger } from '@nestjs/common';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { lastValueFrom, take, tap, timeout, toArray } from 'rxjs';
import { ask, petpro } from './petpro.js';

// What Nest tells of its connection is no answer.
Logger.overrideLogger(['error', 'fatal']);
const client = ClientProxyFactory.create({ transport: Transport.NATS, options: petpro });

async function answer({ pattern, data, limit, each, ...beside }) {
  let completed = false;
  const seen = client.send(pattern, ask(data, beside)).pipe(
    tap({ next: (value) => each && print({ value }), complete: () => (completed = true) }),
    take(limit ?? Infinity),
    timeout(40_000),
    toArray(),
  );
  try {
    return { values: await lastValueFrom(seen), completed };
  } catch (error) {
    return { error: error instanceof Error ? { thrown: error.constructor.name, message: error.message } : error };
  }
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  // Answers come in the order of the questions.
  print(await answer(JSON.parse(line)));
}
await client.close();
