module.exports = {
  chatkit: {
    input: process.env.CHATKIT_URL + "/openapi.yaml",
    output: {
      client: "fetch",
      target: "generated/chatkit.ts",
      override: {
        mutator: { path: "./fetch.ts", name: "chatkitFetch" },
        // Plain strings, which the compiler checks: the constants that orval
        // would make of "thread.item.done" are named threaditemdone.
        enumGenerationType: "union",
      },
    },
  },
};
