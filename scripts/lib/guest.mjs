// A machine for Bochs: a CD with Debian's kernel and a file system in memory, in which Node runs one script and the serial
// port takes what it prints.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { have, inProject, install, run, scratchPath, step } from './steps.mjs';

/** What marks the end of a run on the serial port. */
export const END = 'GUEST ENDS';

// AVX-512 and AMX of a Sapphire Rapids; `ips` is what its clocks make of an instruction.
const machine = (iso, log, port) => `
memory: guest=1536, host=1536
cpu: model=sapphire_rapids, count=1, ips=200000000, ignore_bad_msrs=1
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=${iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=socket-client, dev=127.0.0.1:${port}
display_library: nogui
clock: sync=none
log: ${log}
info: action=ignore
error: action=ignore
panic: action=fatal
`;

// What Bochs has otherwise than the processor that it says it is: it reports fast short copies (FSRM) without long ones,
// leaves the system management mode with four levels of page tables only, and traps TILERELEASE, which idling uses.
const KERNEL_OPTIONS =
  'console=ttyS0 loglevel=2 mitigations=off clearcpuid=fsrm no5lvl intel_idle.max_cstate=0';

const init = (command) => `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1 </dev/null
stty -F /dev/ttyS0 raw
cd /xitensor
${command}
echo ${END}
sleep 1000
`;

/** The path of the kernel of Debian's package, which is unpacked and not installed. */
export async function fetchKernel() {
  const depends = await run('apt-cache', ['depends', 'linux-image-amd64']);
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (!name) throw new Error(`linux-image-amd64 depends on no kernel: ${depends}`);
  const kernel = '.setup/guests/vmlinuz';
  await step('kernel', { does: `fetching ${name}`, inputs: [], outputs: [kernel], key: name }, async () => {
    const folder = scratchPath('guests', 'kernel');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await run('apt-get', ['download', name], { cwd: folder });
    await run('dpkg-deb', ['-x', readdirSync(folder)[0], folder], { cwd: folder });
    install(join(folder, 'boot', name.replace('linux-image', 'vmlinuz')), inProject(kernel));
    rmSync(folder, { recursive: true });
  });
  return inProject(kernel);
}

/** A program and the libraries that the loader finds for it, none for a static one, of which ldd complains. */
async function copyProgram(path, to) {
  const libraries = (await run('ldd', [path]).catch(() => '')).matchAll(/(\/\S+) \(0x/g);
  for (const from of [path, ...Array.from(libraries, ([, library]) => library)]) {
    mkdirSync(join(to, dirname(from)), { recursive: true });
    copyFileSync(from, join(to, from));
  }
}

/**
 * A folder for one machine that starts `kernel` and runs `command`, a line of shell, in a copy of `files` of the project.
 * Returns where it lies and `configure`, which writes the machine's description for a port and returns its path.
 */
export async function makeGuest(name, kernel, command, files) {
  const folder = scratchPath('guests', name);
  rmSync(folder, { recursive: true, force: true });
  const root = join(folder, 'root');
  for (const path of ['bin', 'dev', 'proc', 'sys', 'tmp', 'xitensor'])
    mkdirSync(join(root, path), { recursive: true });
  const busybox = have('busybox');
  for (const program of [busybox, process.execPath]) await copyProgram(program, root);
  for (const applet of ['sh', 'mount', 'sleep', 'stty']) symlinkSync(busybox, join(root, 'bin', applet));
  for (const file of files) cpSync(inProject(file), join(root, 'xitensor', file), { recursive: true });
  writeFileSync(join(root, 'init'), init(command));
  chmodSync(join(root, 'init'), 0o755);

  const boot = join(folder, 'cd/boot');
  mkdirSync(join(boot, 'grub'), { recursive: true });
  copyFileSync(kernel, join(boot, 'vmlinuz'));
  const menu = `set timeout=0\nmenuentry guest { linux /boot/vmlinuz ${KERNEL_OPTIONS}\n initrd /boot/initrd }\n`;
  writeFileSync(join(boot, 'grub/grub.cfg'), menu);
  await run('sh', ['-c', 'find . | cpio --create --format=newc --quiet > "$0"', join(boot, 'initrd')], {
    cwd: root,
  });
  const iso = join(folder, 'cd.iso');
  await run('grub-mkrescue', ['-o', iso, join(folder, 'cd')]);
  for (const path of ['root', 'cd']) rmSync(join(folder, path), { recursive: true });

  return {
    folder,
    configure(port) {
      const path = join(folder, 'bochsrc');
      writeFileSync(path, machine(iso, join(folder, 'bochs.log'), port));
      return path;
    },
  };
}
