/** The element of the page with this id; the page and its program are made for each other. */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Draws a chart into a place, as wide as that is, and again when its width changes. */
export function draw(id: string, chart: (width: number) => string): void {
  const place = element(id);
  const show = () => {
    place.innerHTML = chart(Math.max(240, Math.floor(place.clientWidth)));
  };
  charts.set(place, show);
  show();
  observer.observe(place);
}

const charts = new Map<Element, () => void>();
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const drawn = target.querySelector('svg')?.viewBox.baseVal.width;
    if (drawn !== Math.max(240, Math.floor(contentRect.width))) charts.get(target)?.();
  }
});
