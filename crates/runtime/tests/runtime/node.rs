//! Node.js handlers of every kind.

use crate::common::{NODE, Stage, failure, stage, told};

#[tokio::test]
async fn every_kind_of_handler_answers() {
    #[rustfmt::skip]
    let cases = [
        ("main.mjs", "export const handler = async (event, context) => [event.a, context.functionName, context.getRemainingTimeInMillis() > 0]"),
        ("main.js",  "exports.handler = async (event, context) => [event.a, context.functionName, true]"),
        ("main.cjs", "exports.handler = (event, context, callback) => setImmediate(() => callback(null, [event.a, context.functionName, true]))"),
        ("main.js",  "module.exports = { handler: (event, context) => { context.succeed([event.a, 'f', true]) } }"),
    ];
    for (file, code) in cases {
        let outcome = stage(NODE, file, code).run(r#"{"a":"ä"}"#).await.unwrap();
        assert_eq!(told(&outcome), (r#"["ä","f",true]"#, false), "{code}");
    }
}

#[tokio::test]
async fn node_runs_behind_every_kind_of_walls() {
    let code = "export const handler = async () => process.memoryUsage().rss > 0";
    for walls in [|it: Stage| it, Stage::fenced, Stage::open] {
        let outcome = walls(stage(NODE, "main.mjs", code)).run("{}").await.unwrap();
        assert_eq!(told(&outcome), ("true", false));
    }
}

#[tokio::test]
async fn every_kind_of_failure_is_told() {
    #[rustfmt::skip]
    let cases = [
        // code                                                                  type                          message
        ("exports.handler = async () => { throw new TypeError('no such door') }",  "TypeError",                  "no such door"),
        ("exports.handler = (e, c, callback) => callback(new Error('locked'))",    "Error",                      "locked"),
        ("exports.handler = () => { throw new RangeError('far') }",                "RangeError",                 "far"),
        ("exports.handler = async () => { throw 'words' }",                        "string",                     "words"),
        ("exports.other = 1",                                                      "Runtime.HandlerNotFound",    "main.handler is undefined or not exported"),
        ("require('no-such-module')",                                              "Runtime.ImportModuleError",  "Cannot find module 'no-such-module'"),
        ("exports.handler = (",                                                    "Runtime.UserCodeSyntaxError", ""),
    ];
    for (code, kind, message) in cases {
        let outcome = stage(NODE, "main.js", code).run("{}").await.unwrap();
        let found = failure(&outcome);
        assert_eq!(found.0, kind, "{code}: {found:?}");
        assert!(found.1.contains(message), "{code}: {found:?}");
    }
}

#[tokio::test]
async fn a_folder_without_the_module_says_so() {
    let outcome = stage(NODE, "other.js", "").run("{}").await.unwrap();
    let expected = ("Runtime.ImportModuleError".into(), "Error: Cannot find module 'main'".into());
    assert_eq!(failure(&outcome), expected);
}
