// Compiles Bochs, which interprets the x86 instructions that this processor lacks: AVX-512, AVX-512 BF16 and AMX. What
// Debian 12 packages (2.7) has no AMX; Debian 13's source does.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { inProject, replaceFolder, run, scratchPath, step } from './steps.mjs';

const SOURCE = 'https://deb.debian.org/debian/pool/main/b/bochs/bochs_3.0+dfsg.orig.tar.xz';
const SHA256 = '78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b';
const FOLDER = '.setup/bochs';

const CONFIGURE = [
  ...[
    '--enable-x86-64',
    '--enable-cpu-level=6',
    '--enable-avx',
    '--enable-evex',
    '--enable-amx',
    '--enable-pci',
  ],
  ...['--enable-repeat-speedups', '--enable-handlers-chaining', '--enable-trace-linking'],
  ...['--enable-fast-function-calls', '--disable-docbook', '--with-nogui'],
];

/**
 * What Bochs 3.0 lacks, as [file, what to find once, what to put there]. Linux lets tiles be used only where the processor
 * has XFD, extended feature disable (Intel SDM volume 1, 13.14): two registers, their bits in CPUID, and #NM for the first
 * instruction of AMX. VCVTNE2PS2BF16 takes its upper half from beyond its first operand, and VRSQRT14PS of ½ and its powers of four is 2.
 */
const CHANGES = [
  ['cpuid.cc', 'leaf->eax |= (1<<3);', '$& leaf->eax |= (1<<4);'],
  ['cpuid.cc', 'suppmask & (1 << subfunction)) != 0;', '$& if (subfunction == 18) leaf->ecx |= 4;'],
  ['msr.cc', '#define LOG_THIS', 'Bit64u xfd = 0, xfd_error = 0;\n$&'],
  [
    'msr.cc',
    'msr_desc[BX_MSR_XSS] =',
    'msr_desc[BX_MSR_IA32_XFD] = new MSR_Descriptor("XFD", BX_ISA_XSAVES);\n' +
      'msr_desc[BX_MSR_IA32_XFD_ERROR] = new MSR_Descriptor("XFD_ERR", BX_ISA_XSAVES);\n$&',
  ],
  [
    'msr.cc',
    /case BX_MSR_XSS:\s+if/,
    'case BX_MSR_IA32_XFD: val64 = xfd; break;\ncase BX_MSR_IA32_XFD_ERROR: val64 = xfd_error; break;\n$&',
  ],
  [
    'msr.cc',
    /case BX_MSR_XSS:\s+\{/,
    'case BX_MSR_IA32_XFD: xfd = val_64; handleAvxModeChange(); break;\n' +
      'case BX_MSR_IA32_XFD_ERROR: xfd_error = val_64; break;\n$&',
  ],
  ['proc_ctrl.cc', '#define LOG_THIS', 'extern Bit64u xfd, xfd_error;\n$&'],
  ['proc_ctrl.cc', 'BX_XCR0_XTILEDATA_MASK)) != 0', '$& || (xfd & (1 << 18))'],
  [
    'proc_ctrl.cc',
    /BX_XCR0_XTILEDATA_MASK\)\)\s+exception\(BX_UD_EXCEPTION, 0\);/,
    '$&\nif (xfd & (1 << 18)) { xfd_error |= 1 << 18; exception(BX_NM_EXCEPTION, 0); }',
  ],
  [
    'avx/avx512_rsqrt14.cc',
    /if \(fraction\)(?=\s+fraction = rsqrt_table\[fraction >> 8\])/,
    'if (fraction || rsqrt_table == rsqrt14_table0)',
  ],
  ['avx/avx512_bf16.cc', 'bfloat16(op1.vmm32u(n));', 'bfloat16(op1.vmm32u(n - DWORD_ELEMENTS(len)));'],
];

/** The text with the one place that fits `pattern` replaced; throws where there is none, or another. */
function replaceOnce(name, text, pattern, by) {
  const found = text.split(pattern).length - 1;
  if (found !== 1) throw new Error(`${name} of Bochs has ${found} places like ${pattern}, expected one`);
  return text.replace(pattern, by);
}

async function download() {
  const response = await fetch(SOURCE);
  if (!response.ok) throw new Error(`${SOURCE}: HTTP status ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== SHA256) throw new Error(`${SOURCE} has SHA-256 ${sha256}, expected ${SHA256}`);
  return bytes;
}

/** The path of the emulator, compiled if it is not there yet (two minutes on two cores). */
export async function buildBochs() {
  const program = `${FOLDER}/bochs`;
  const key = JSON.stringify([SHA256, CONFIGURE, CHANGES.map(String)]);
  await step('bochs', { does: 'compiling Bochs 3.0', inputs: [], outputs: [program], key }, async () => {
    const made = scratchPath('bochs.part');
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made);
    const archive = join(made, 'source.tar.xz');
    writeFileSync(archive, await download());
    await run('tar', ['-xJf', archive, '-C', made, '--strip-components=1']);
    for (const [name, pattern, by] of CHANGES) {
      const path = join(made, 'cpu', name);
      writeFileSync(path, replaceOnce(name, readFileSync(path, 'utf8'), pattern, by));
    }
    const flags = '-O3 -march=native';
    await run('./configure', CONFIGURE, { cwd: made, env: { CXXFLAGS: flags, CFLAGS: flags } });
    await run('make', [`-j${availableParallelism()}`], { cwd: made });
    replaceFolder(made, inProject(FOLDER));
  });
  return inProject(program);
}
