// Run by npm after an install: builds the control room where that is possible, and says what is missing where it is not. Plain
// JavaScript, since it must also run where only an old Node is.

const NODE_MAJOR = 26;

async function findVite() {
  try {
    return await import('vite');
  } catch {
    return null;
  }
}

async function prepare() {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
    return `it needs Node ${NODE_MAJOR}, and this is ${process.versions.node}. Install with optional packages, which bring it, or run "npm run build" with a newer one`;
  }
  const vite = await findVite();
  if (vite === null) return 'the packages for development are left out. "npm ci && npm run build" builds it';
  await vite.build({ configFile: `${import.meta.dirname}/vite.config.ts`, logLevel: 'warn' });
  return null;
}

const why = await prepare();
if (why !== null) console.log(`The control room is not built: ${why}. The service runs without it.`);
