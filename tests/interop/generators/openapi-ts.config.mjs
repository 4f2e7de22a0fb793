export default {
  input: "v1.json",
  output: { path: "generated", importFileExtension: ".js" },
};
