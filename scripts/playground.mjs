// Builds the playground, a folder of static files, and serves it: npm run playground [-- --isolated --port 8000 --build-only].
import { cpSync, createReadStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { browserOptions } from './lib/bundles.mjs';
import { inProject, isMain } from './lib/steps.mjs';
import { setup } from './setup.mjs';

const HELP = `npm run playground [-- options]

Builds the playground into build-playground/ and serves it on this machine.

  --isolated    with the headers that make pages cross-origin isolated, and so give WebAssembly threads
  --port <n>    8787 when left out; 0 takes any that is free
  --build-only  builds and serves nothing: the folder can be put on any server of static files
  --help        print this`;

export const FOLDER = 'build-playground';

/** Builds the page into a folder and resolves with its path. */
export async function buildPlayground(folder = inProject(FOLDER)) {
  const { build } = await import('esbuild');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    ...browserOptions('browser'),
    entryPoints: ['main.ts', 'worker.ts', 'style.css'].map((name) => inProject('web', name)),
    outdir: join(folder, 'assets'),
    minify: true,
  });
  cpSync(inProject('web/index.html'), join(folder, 'index.html'));
  cpSync(inProject('web/model'), join(folder, 'model'), { recursive: true });
  for (const name of ['xitensor.wasm', 'xitensor-relaxed.wasm']) {
    cpSync(inProject('wasm', name), join(folder, 'wasm', name));
  }
  return folder;
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** Serves a folder on this machine, compressed; resolves with the server, which listens. */
export function servePlayground(folder, { port, isolated }) {
  const isolation = isolated && {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  const server = createServer((request, response) => {
    // Not the first argument of URL, to which `//` begins another host.
    const path = normalize(new URL(`http://localhost${request.url}`).pathname);
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
    const gzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    response.writeHead(200, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Cache-Control': 'no-cache',
      ...(gzip && { 'Content-Encoding': 'gzip' }),
      ...isolation,
    });
    const body = createReadStream(file);
    (gzip ? body.pipe(createGzip()) : body).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function options() {
  const boolean = { type: 'boolean', default: false };
  const known = {
    isolated: boolean,
    'build-only': boolean,
    help: boolean,
    port: { type: 'string', default: '8787' },
  };
  try {
    const { values } = parseArgs({ options: known });
    const port = Number(values.port);
    if (!(Number.isInteger(port) && port >= 0 && port < 65536))
      throw new Error(`--port: expected a port, received ${values.port}`);
    return { ...values, port };
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    return process.exit(2);
  }
}

if (isMain(import.meta.url)) {
  const { isolated, port, help, 'build-only': buildOnly } = options();
  if (help) console.log(HELP);
  else {
    try {
      const { missing } = await setup();
      if (missing.wasm) throw new Error(`the playground needs the WebAssembly modules: ${missing.wasm}`);
      const folder = await buildPlayground();
      console.log(`playground: built in ${FOLDER}/`);
      if (!buildOnly) {
        const server = await servePlayground(folder, { port, isolated });
        const threads = isolated ? 'with threads' : 'one thread; --isolated gives more';
        console.log(`playground: http://127.0.0.1:${server.address().port}/ (${threads}); Ctrl-C ends it`);
      }
    } catch (error) {
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}
