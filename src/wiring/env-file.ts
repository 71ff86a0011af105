import { existsSync } from 'node:fs';

const ENV_FILE = '.env';

/** Puts what `.env` of the working directory says into the environment; what is set already stands. A missing file is no fault. */
export function readEnvFile(): void {
  if (existsSync(ENV_FILE)) process.loadEnvFile(ENV_FILE);
}
