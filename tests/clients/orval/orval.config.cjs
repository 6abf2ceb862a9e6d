module.exports = {
  chatkit: {
    input: process.env.CHATKIT_URL + "/openapi.yaml",
    output: {
      client: "fetch",
      target: "generated/chatkit.ts",
      override: {
        mutator: { path: "./fetch.ts", name: "chatkitFetch" },
        // Unions of strings. By default orval generates constants with names
        // such as threaditemdone for "thread.item.done".
        enumGenerationType: "union",
      },
    },
  },
};
