// Charts take the colours of the page, also when light and dark change while it is open.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim();
    const line = style.getPropertyValue("--line").trim();
    const paper = style.getPropertyValue("--paper").trim();
    for (const chart of document.querySelectorAll(".js-plotly-plot")) {
      const change = {
        "font.color": ink,
        "hoverlabel.bgcolor": paper,
        "hoverlabel.font.color": ink,
        "modebar.color": line,
        "modebar.activecolor": ink,
      };
      for (const name of Object.keys(chart._fullLayout)) {
        if (/^[xy]axis\d*$/.test(name)) {
          change[`${name}.gridcolor`] = line;
          change[`${name}.zerolinecolor`] = line;
          change[`${name}.linecolor`] = line;
        }
      }
      Plotly.relayout(chart, change);
    }
  };
  dark.addEventListener("change", paint);
  paint();
})();
