import { createHmac } from 'node:crypto';
import { type ScramKeys, deriveKeys, hash } from './keys.ts';

/** What pg_authid.rolpassword holds for a role: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. */
export interface Verifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** scram_sha_256_iterations' default. */
export const DEFAULT_ITERATIONS = 4096;
const SALT_LENGTH = 16;
const KEY_LENGTH = 32;

/** Undefined for anything else, an MD5 hash for example. */
export function parseVerifier(text: string): Verifier | undefined {
  const [scheme, cost, keys, ...more] = text.split('$');
  const [iterations, salt] = cost?.split(':') ?? [];
  const [storedKey, serverKey] = keys?.split(':') ?? [];
  if (scheme !== 'SCRAM-SHA-256' || more.length > 0) return undefined;
  if (iterations === undefined || salt === undefined || storedKey === undefined || serverKey === undefined) {
    return undefined;
  }
  const verifier = {
    iterations: Number(iterations),
    salt: Buffer.from(salt, 'base64'),
    storedKey: Buffer.from(storedKey, 'base64'),
    serverKey: Buffer.from(serverKey, 'base64'),
  };
  if (!Number.isSafeInteger(verifier.iterations) || verifier.iterations < 1 || verifier.salt.length === 0) {
    return undefined;
  }
  if (verifier.storedKey.length !== KEY_LENGTH || verifier.serverKey.length !== KEY_LENGTH) return undefined;
  return verifier;
}

export function formatVerifier(verifier: Verifier): string {
  const salt = verifier.salt.toString('base64');
  const storedKey = verifier.storedKey.toString('base64');
  const serverKey = verifier.serverKey.toString('base64');
  return `SCRAM-SHA-256$${verifier.iterations}:${salt}$${storedKey}:${serverKey}`;
}

export async function createVerifier(password: string, salt: Buffer, iterations: number): Promise<Verifier> {
  return verifierOf(await deriveKeys(password, salt, iterations), salt, iterations);
}

function verifierOf(keys: ScramKeys, salt: Buffer, iterations: number): Verifier {
  return { iterations, salt, storedKey: hash(keys.clientKey), serverKey: keys.serverKey };
}

/**
 * For a user that does not exist or has no such password: looks like a real one, the same at every attempt, and no proof
 * fits it (mock_scram_secret in PostgreSQL's auth-scram.c).
 */
export function mockVerifier(user: string, secret: Buffer): Verifier {
  const derive = (purpose: string) => createHmac('sha256', secret).update(`${purpose}\0${user}`).digest();
  return {
    iterations: DEFAULT_ITERATIONS,
    salt: derive('salt').subarray(0, SALT_LENGTH),
    storedKey: derive('stored key'),
    serverKey: derive('server key'),
  };
}
