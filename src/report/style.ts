/** The style of the page: light and dark, from 320 pixels up, and on paper. What scrolls sideways has a shade at the edge behind which there is more. Colours have a contrast of 4.5 against the ground for text, 3 for marks. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fcfcfa;--card:#fff;--ink:#1d2126;--soft:#555d66;--hair:#dcdfe2;--grid:#e6e8ea;--link:#0b5cad;
--c1:#0b6bb8;--c2:#b8530a;--c3:#107a5c;--c4:#8a3ba0;--good:#0b6e3f;--bad:#b3261e;--note:#fff4dc;--code:#f1f2f3;--shade:#1d21263d}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--card:#1b1f23;--ink:#e6e9ec;--soft:#a7b0b9;--hair:#343a40;--grid:#2b3036;--link:#7cb9f2;
--c1:#5eaef0;--c2:#f0924a;--c3:#45c79e;--c4:#cf8be4;--good:#5fd08f;--bad:#ff8a80;--note:#3a3118;--code:#24292e;--shade:#e6e9ec47}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 16px}
header{padding-top:36px}
h1{font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.15;margin:0 0 8px;letter-spacing:-.015em}
h2{font-size:1.45rem;line-height:1.25;margin:52px 0 8px;padding-top:18px;border-top:1px solid var(--hair)}
h3{font-size:1.08rem;margin:28px 0 4px}
p{margin:8px 0 12px;max-width:72ch}
a{color:var(--link)}
a:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--link);outline-offset:2px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;margin:16px 0 0}
code,pre{font-family:ui-monospace,"SFMono-Regular",Menlo,Consolas,"Liberation Mono",monospace;font-size:.86em}
code{background:var(--code);border-radius:4px;padding:.1em .35em;overflow-wrap:anywhere}code span{white-space:nowrap}
pre{border-radius:8px;padding:14px;margin:12px 0;line-height:1.35}
.lead{color:var(--soft);font-size:1.05rem}
.quick{background:var(--note);border-radius:8px;padding:10px 14px;max-width:none}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,165px),1fr));gap:10px;margin:18px 0;padding:0}
.facts div{background:var(--card);border:1px solid var(--hair);border-radius:8px;padding:10px 14px}
.facts dt{color:var(--soft);font-size:.85rem}
.facts dd{margin:0;font-size:1.12rem;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
figure{margin:18px 0 30px;background:var(--card);border:1px solid var(--hair);border-radius:10px;padding:14px}
figcaption{border-top:1px solid var(--hair);margin-top:12px;padding-top:6px;font-size:.93rem}
.source{display:flex;flex-wrap:wrap;gap:6px 14px;align-items:baseline;font-size:.9rem;margin-bottom:0;max-width:none}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,318px),1fr));gap:14px 18px}
.plots.pairs{grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr))}
.plot{display:block;width:100%;max-width:520px;height:auto;margin:0 auto}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 20px;padding:0;margin:0 0 10px;font-size:.93rem}
.swatch{display:inline-block;width:34px;height:14px;margin-right:8px;vertical-align:-2px;overflow:visible}
.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}
svg text{fill:var(--soft);font:11px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
svg .title{fill:var(--ink);font-size:13px;font-weight:600}
svg .strong{fill:var(--ink);font-size:12px}
.halo{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.end{text-anchor:end}.middle{text-anchor:middle}
.grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
.line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
.line.c2{stroke-dasharray:7 3}.line.c3{stroke-dasharray:2 3;stroke-width:2.5}.line.c4{stroke-dasharray:9 3 2 3}
.band{fill:var(--c);opacity:.18}.bar{fill:var(--c)}.symbol{fill:var(--c);stroke:var(--card);stroke-width:1}
.steps,.casing,.mean{fill:none;stroke-width:2;stroke-linejoin:miter}.steps{stroke:var(--c)}.mean,.median{stroke:var(--ink)}.median{fill:var(--ink)}
.casing{stroke:var(--card);stroke-width:5}path.median{stroke:var(--card);stroke-width:1.5;paint-order:stroke}
.level{stroke:var(--soft);stroke-dasharray:4 4}
.wire{stroke:var(--soft);stroke-width:1.5;fill:none}.node{fill:var(--card);stroke:var(--c);stroke-width:2}
.scroll,pre{--under:var(--card);overflow-x:auto;background:linear-gradient(90deg,var(--under) 45%,#0000) 0 0/40px 100% no-repeat local,linear-gradient(270deg,var(--under) 45%,#0000) 100% 0/40px 100% no-repeat local,
linear-gradient(90deg,var(--shade),#0000) 0 0/14px 100% no-repeat,linear-gradient(270deg,var(--shade),#0000) 100% 0/14px 100% no-repeat,var(--under)}
pre{--under:var(--code)}.scroll+.plots{margin-top:20px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.95rem}
th,td{text-align:left;padding:7px 14px 7px 0;border-bottom:1px solid var(--hair);vertical-align:top}
thead th{color:var(--soft);font-weight:600;font-size:.87rem;vertical-align:bottom}
tbody th{font-weight:500}tbody tr:last-child>*{border-bottom:0}
td small{color:var(--soft);display:block;white-space:nowrap}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.facts small{display:block;color:var(--soft);font-size:.85rem;font-weight:400}
.digest{overflow-wrap:anywhere}
footer{padding:24px 16px 40px;color:var(--soft);font-size:.9rem}
sub,sup{line-height:0}
@media (max-width:480px){tbody th{min-width:9.5em}table{font-size:.88rem}th,td{padding-right:9px}td small{white-space:normal}}
@media print{body{background:#fff}figure{break-inside:avoid}}
`;
