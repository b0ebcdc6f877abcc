/* The style of reports: paper and screen, light and dark, wide and narrow. Colours of curves are those of
 * Okabe and Ito, which readers with any kind of colour blindness tell apart; dashes tell further ones apart.
 */
#include <stddef.h>

#include "common/html.h"

/* clang-format off */
const char *const html_style[] = {
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1d2126;--dim:#5b6570;--edge:#d9dee3;--soft:#f4f6f8;"
    "--warn:#b45309;--shade:0,114,178;--depth:.62;--wrong:213,94,0;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b0558c;--c4:#b97d00;--c5:#3a93c9;--c6:#6b6b00;--c7:#555}\n",
    "@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;--dim:#9aa5b1;--edge:#343b43;"
    "--soft:#1d2126;--warn:#f0a050;--shade:86,168,232;--depth:.5;--wrong:255,138,76;"
    "--c0:#58a9e8;--c1:#ff8a4c;--c2:#2bc49a;--c3:#e39bc6;--c4:#f2b632;--c5:#a5d8f7;--c6:#d6c84a;"
    "--c7:#bbb}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%}\n",
    "body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,'Segoe UI',"
    "Roboto,'Helvetica Neue',Arial,sans-serif}\n",
    "main{max-width:1060px;margin:0 auto;padding:28px 20px 48px}\n",
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 4px;font-weight:650;letter-spacing:-.01em;"
    "overflow-wrap:anywhere}\n",
    "h2{font-size:1.15rem;margin:0 0 10px;font-weight:650}\n",
    "h3{font-size:.95rem;margin:22px 0 6px;font-weight:600}\n",
    "section{margin:34px 0 0;padding:22px 0 0;border-top:1px solid var(--edge)}\n",
    "p{margin:6px 0;max-width:72ch;overflow-wrap:anywhere}ul{margin:6px 0;padding-left:1.2em;max-width:72ch}\n",
    "li{margin:3px 0;overflow-wrap:anywhere}\n",
    ".under,.dim,caption,dt,figcaption{color:var(--dim)}\n",
    ".under{margin:0 0 16px}\n",
    ".notice{border-left:4px solid var(--warn);background:var(--soft);padding:9px 14px;border-radius:0 6px 6px 0;"
    "max-width:none}\n",
    ".warn{border-left:4px solid var(--warn);padding-left:10px}\n",
    "data,td,.tile b{font-variant-numeric:tabular-nums}\n",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:10px;margin:10px 0}\n",
    ".tile{background:var(--soft);border:1px solid var(--edge);border-radius:8px;padding:11px 14px}\n",
    ".tile span{display:block;color:var(--dim);font-size:.84rem}\n",
    ".tile b{display:block;font-size:1.5rem;line-height:1.3;font-weight:620}\n",
    ".scroll{overflow-x:auto;max-width:100%}\n",
    "table{border-collapse:collapse;margin:8px 0;font-size:.88rem}\n",
    "caption{text-align:left;padding:0 0 6px;font-size:.86rem}\n",
    "th,td{padding:5px 11px;border-bottom:1px solid var(--edge);text-align:right;white-space:nowrap}\n",
    "th{font-weight:550}thead th{color:var(--dim);font-size:.82rem;vertical-align:bottom}\n",
    "tbody th,thead th:first-child,td.w{text-align:left}\n",
    "tbody th,td.w{white-space:normal;overflow-wrap:break-word;min-width:7em}\n",
    "tr.mean>*{border-top:2px solid var(--edge);font-weight:600}tr.mean+tr.mean>*{border-top:0}\n",
    ".matrix td{text-align:center;min-width:3.7em;background:rgba(var(--shade),calc(var(--v,0)*var(--depth)))}\n",
    ".matrix td.x{background:rgba(var(--wrong),calc(var(--v,0)*var(--depth)))}\n",
    ".matrix td small{display:block;color:inherit;opacity:.8;font-size:.78em;line-height:1.2}\n",
    ".matrix thead th+th{text-align:center;white-space:normal}"
    "caption span{display:inline-block;position:sticky;left:0;max-width:calc(100vw - 30px)}\n",
    ".two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:14px 26px}\n",
    "figure{margin:0;min-width:0}figcaption{font-size:.86rem;margin:2px 0 4px}\n",
    "figure>h3{margin:10px 0 4px}\n",
    "svg{display:block;width:100%;height:auto;max-width:520px;color:var(--fg)}\n",
    "svg text{fill:var(--dim);font-size:12px}\n",
    ".grid{stroke:var(--edge);stroke-width:1;fill:none}.axis{stroke:var(--dim);stroke-width:1;fill:none}\n",
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.ref{stroke:var(--dim);stroke-dasharray:2 4;"
    "stroke-width:1.3;fill:none}.bar{opacity:.75}.gap{fill:none;stroke-width:1.5}\n",
    ".c0{stroke:var(--c0);--c:var(--c0)}.c1{stroke:var(--c1);--c:var(--c1)}.c2{stroke:var(--c2);--c:var(--c2)}"
    ".c3{stroke:var(--c3);--c:var(--c3)}.c4{stroke:var(--c4);--c:var(--c4)}.c5{stroke:var(--c5);--c:var(--c5)}"
    ".c6{stroke:var(--c6);--c:var(--c6)}.c7{stroke:var(--c7);--c:var(--c7)}\n",
    ".d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 3}.fill{fill:var(--c);stroke:none}\n",
    ".key{list-style:none;padding:0;margin:4px 0 0;display:flex;flex-wrap:wrap;gap:2px 18px;font-size:.86rem;"
    "max-width:none}.key li{display:flex;align-items:center;gap:7px}.key svg{width:26px;flex:none}\n",
    ".cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(205px,1fr));gap:12px;margin:10px 0}\n",
    ".card{border:1px solid var(--edge);border-radius:8px;padding:8px;background:var(--soft);font-size:.84rem;"
    "break-inside:avoid}\n",
    ".card img{display:block;width:100%;height:auto;background:#fff;border-radius:4px;image-rendering:auto;"
    "margin:0 0 6px}.card p{margin:1px 0;line-height:1.35}.card .dim{font-size:.76rem}\n",
    ".scale img{display:inline-block;vertical-align:-1px;border:1px solid var(--edge);margin:0 5px}\n",
    "dl{display:grid;grid-template-columns:minmax(9em,max-content) minmax(0,1fr);gap:3px 18px;margin:8px 0;"
    "font-size:.9rem}dd{margin:0;overflow-wrap:anywhere}\n",
    "code{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\n",
    "nav{display:flex;flex-wrap:wrap;gap:2px 16px;margin:14px 0 0;font-size:.9rem}a{color:var(--c0)}\n",
    "details{margin:10px 0}summary{cursor:pointer;color:var(--c0);font-size:.9rem}\n",
    "footer{margin:34px 0 0;padding:14px 0 0;border-top:1px solid var(--edge);color:var(--dim);"
    "font-size:.86rem}\n",
    "@media(max-width:560px){main{padding:18px 13px 32px}h1{font-size:1.35rem}.tiles{grid-template-columns:"
    "1fr 1fr;gap:8px}.tile{padding:8px 10px}.tile b{font-size:1.2rem}th,td{padding:5px 7px}"
    "dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 7px}.cards{grid-template-columns:1fr 1fr;gap:8px}"
    "svg text{font-size:13px}}\n",
    "@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--dim:#444;--edge:#bbb;--soft:#fff;"
    "--warn:#b45309;--shade:0,114,178;--depth:.5;--wrong:213,94,0;--c0:#0072b2;--c1:#d55e00;--c2:#009e73;"
    "--c3:#b0558c;--c4:#b97d00;--c5:#3a93c9;--c6:#6b6b00;--c7:#555}"
    "@page{margin:14mm}body{font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "main{max-width:none;padding:0}nav{display:none}section{margin-top:16px;padding-top:12px}"
    ".two{grid-template-columns:1fr 1fr}.cards{grid-template-columns:repeat(4,1fr)}"
    ".tiles{grid-template-columns:repeat(4,1fr)}"
    "h2,h3{break-after:avoid}figure,tr,.tile,.matrix{break-inside:avoid}.scroll{overflow:visible}}\n",
    NULL,
};
