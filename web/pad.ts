/** Side of the pictures that the network knows, and of the box in MNIST that a digit fills. */
const SIDE = 28;
const BOX = 20;
/** Steps of the arrow keys, and the width of a stroke, in pixels of the pad. */
const STEP = 10;
const STROKE = 21;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A pad to draw on, by pointer or keys. Calls back with the picture as the network wants it, null when the pad is empty. */
export class Pad {
  private readonly pad: HTMLCanvasElement;
  private readonly ink: HTMLCanvasElement;
  private readonly changed: (pixels: Float32Array | null) => void;
  private cursor: Point;
  private last: Point | undefined;

  constructor(pad: HTMLCanvasElement, changed: (pixels: Float32Array | null) => void) {
    this.pad = pad;
    this.changed = changed;
    this.ink = canvas(pad.width);
    this.cursor = { x: pad.width / 2, y: pad.height / 2 };
    pad.addEventListener('pointerdown', (event) => {
      pad.setPointerCapture(event.pointerId);
      this.last = this.at(event);
      this.stroke(this.last, this.last);
    });
    pad.addEventListener('pointermove', (event) => {
      if (this.last === undefined) return;
      const next = this.at(event);
      this.stroke(this.last, next);
      this.last = next;
    });
    const lift = () => {
      this.last = undefined;
    };
    for (const end of ['pointerup', 'pointercancel']) pad.addEventListener(end, lift);
    pad.addEventListener('keydown', (event) => this.key(event));
    for (const change of ['focus', 'blur']) pad.addEventListener(change, () => this.render());
    this.render();
  }

  clear(): void {
    this.context().clearRect(0, 0, this.ink.width, this.ink.height);
    this.render();
    this.changed(null);
  }

  /** Shows a picture [28,28] of values from 0 to 1 and hands it on as it is. */
  show(pixels: Float32Array): void {
    const small = canvas(SIDE);
    const image = new ImageData(SIDE, SIDE);
    image.data.fill(255);
    for (const [n, value] of pixels.entries()) image.data[4 * n + 3] = 255 * value;
    small.getContext('2d')!.putImageData(image, 0, 0);
    const context = this.context();
    context.clearRect(0, 0, this.ink.width, this.ink.height);
    context.drawImage(small, 0, 0, this.ink.width, this.ink.height);
    this.render();
    this.changed(pixels);
  }

  private context(): CanvasRenderingContext2D {
    return this.ink.getContext('2d', { willReadFrequently: true })!;
  }

  private at({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width } = this.pad.getBoundingClientRect();
    const scale = this.pad.width / width;
    return { x: (clientX - left) * scale, y: (clientY - top) * scale };
  }

  private stroke(from: Point, to: Point): void {
    const context = this.context();
    context.strokeStyle = '#fff';
    context.lineWidth = STROKE;
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    this.render();
    this.changed(this.picture());
  }

  private key(event: KeyboardEvent): void {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const within = (value: number) => Math.min(this.pad.width - STROKE, Math.max(STROKE, value));
    const next = { x: within(this.cursor.x + STEP * move[0]), y: within(this.cursor.y + STEP * move[1]) };
    const from = this.cursor;
    this.cursor = next;
    if (event.shiftKey) this.stroke(from, next);
    else this.render();
  }

  private render(): void {
    const context = this.pad.getContext('2d')!;
    const { width } = this.pad;
    context.clearRect(0, 0, width, width);
    context.drawImage(this.ink, 0, 0);
    // The patches that are read one after the other.
    context.strokeStyle = 'rgb(255 255 255 / 16%)';
    context.lineWidth = 1;
    for (let n = 1; n < 4; n++) {
      const at = (n * width) / 4 + 0.5;
      context.strokeRect(at, -1, width, width + 2);
      context.strokeRect(-1, at, width + 2, width);
    }
    if (document.activeElement !== this.pad || !this.pad.matches(':focus-visible')) return;
    context.strokeStyle = '#6ea0ee';
    context.lineWidth = 3;
    context.beginPath();
    context.arc(this.cursor.x, this.cursor.y, STROKE / 2, 0, 2 * Math.PI);
    context.stroke();
  }

  /** As the pictures of MNIST were made: the digit fits a box of 20, its centre of mass lies in the middle of 28. */
  private picture(): Float32Array {
    const { width } = this.ink;
    const { data } = this.context().getImageData(0, 0, width, width);
    const box = { left: width, right: -1, top: width, bottom: -1 };
    for (let y = 0; y < width; y++) {
      for (let x = 0; x < width; x++) {
        if (data[4 * (y * width + x) + 3] < 32) continue;
        box.left = Math.min(box.left, x);
        box.right = Math.max(box.right, x);
        box.top = Math.min(box.top, y);
        box.bottom = Math.max(box.bottom, y);
      }
    }
    const [w, h] = [box.right - box.left + 1, box.bottom - box.top + 1];
    const scale = BOX / Math.max(w, h);
    const small = canvas(SIDE);
    const context = small.getContext('2d', { willReadFrequently: true })!;
    context.imageSmoothingQuality = 'high';
    const place = (x: number, y: number) => {
      context.clearRect(0, 0, SIDE, SIDE);
      context.drawImage(this.ink, box.left, box.top, w, h, x, y, w * scale, h * scale);
      const alpha = context.getImageData(0, 0, SIDE, SIDE).data.filter((_, n) => n % 4 === 3);
      return Float32Array.from(alpha, (value) => value / 255);
    };
    const [x, y] = [(SIDE - w * scale) / 2, (SIDE - h * scale) / 2];
    const first = place(x, y);
    let [mass, sumX, sumY] = [0, 0, 0];
    first.forEach((value, n) => {
      mass += value;
      sumX += value * ((n % SIDE) + 0.5);
      sumY += value * (Math.floor(n / SIDE) + 0.5);
    });
    return mass === 0 ? first : place(x + SIDE / 2 - sumX / mass, y + SIDE / 2 - sumY / mass);
  }
}

function canvas(side: number): HTMLCanvasElement {
  return Object.assign(document.createElement('canvas'), { width: side, height: side });
}
