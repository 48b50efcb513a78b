// How a NestJS service reaches PetPro: the connection under the identity `neighbour`, and tokens that say for whom it asks.
// Copy this file; it needs `npm install @nats-io/transport-node` and nothing else.

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { headers, nkeyAuthenticator } from '@nats-io/transport-node';
import { NatsRecordBuilder } from '@nestjs/microservices';

/** Where `petpro keys export --to` has put `neighbour.user.pem` and the files in `nats`, which a neighbour is given. */
const keys = process.env.PETPRO_KEYS__DIR ?? '.petpro/neighbour';

/** The options of the transport: `{ transport: Transport.NATS, options: petpro }`. */
export const petpro = {
  servers: process.env.PETPRO_NATS__URL ?? 'nats://127.0.0.1:4222',
  authenticator: nkeyAuthenticator(() => new TextEncoder().encode(readFileSync(`${keys}/nats/neighbour.nk`, 'utf8').trim())),
  // Both sides show a certificate, and nothing is said before the connection is encrypted.
  tls: {
    handshakeFirst: true,
    certFile: `${keys}/nats/neighbour.cert.pem`,
    keyFile: `${keys}/nats/neighbour.key.pem`,
    caFile: `${keys}/nats/neighbour.authorities.pem`,
  },
  // Replies come to an inbox that nobody else can listen to.
  inboxPrefix: '_INBOX_neighbour',
};

/**
 * The data of a request with what goes beside it: `client.send('booking.findAll', ask({}, { user }))`.
 *
 * `user` is whoever asks, `{ id, session }`: the id is PetPro's, the session one that your service has for this sign-in,
 * both UUIDs. `ifMatch` is the version that a change is based on, `idempotencyKey` names a change that may be sent again.
 */
export function ask(data, { user, ifMatch, idempotencyKey } = {}) {
  const sent = headers();
  if (user) sent.set('Authorization', `Bearer ${userToken(user)}`);
  if (ifMatch !== undefined) sent.set('If-Match', `"${ifMatch}"`);
  if (idempotencyKey) sent.set('Idempotency-Key', idempotencyKey);
  return new NatsRecordBuilder(data).setHeaders(sent).build();
}

/** A token of a minute for a customer, signed by the neighbour (RFC 7519, RFC 8037). */
export function userToken({ id, session }) {
  const key = createPrivateKey(readFileSync(`${keys}/neighbour.user.pem`));
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  // The key's name is its thumbprint (RFC 7638).
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'neighbour', aud: 'mesh', sub: id, sid: session, roles: ['customer'], iat: now, exp: now + 60 };
  const unsigned = [{ alg: 'EdDSA', typ: 'petpro-user+jwt', kid }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${unsigned}.${sign(null, Buffer.from(unsigned), key).toString('base64url')}`;
}
