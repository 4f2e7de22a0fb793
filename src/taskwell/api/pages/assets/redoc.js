const page = document.getElementById("reference");
const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const mono = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

Redoc.init(page.dataset.document, {
  hideDownloadButtons: false,
  expandResponses: "200,201",
  scrollYOffset: 0,
  theme: {
    colors: { primary: { main: "#0f766e" } },
    typography: {
      fontFamily: font,
      headings: { fontFamily: font },
      code: { fontFamily: mono },
    },
  },
}, page);
