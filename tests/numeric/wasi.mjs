// wasi.mjs - runs a WebAssembly program with the rights of this process:
//     node wasi.mjs PROGRAM [ARGUMENT...]

import {readFile} from 'node:fs/promises';
import {WASI} from 'node:wasi';

const wasi = new WASI({version: 'preview1', args: process.argv.slice(2), env: process.env,
                       preopens: {'/': '/'}});
const program = await WebAssembly.compile(await readFile(process.argv[2]));
process.exitCode = wasi.start(await WebAssembly.instantiate(program, wasi.getImportObject()));
