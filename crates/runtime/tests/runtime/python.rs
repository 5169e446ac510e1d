//! Python handlers, as people write them, and how they fail.

use crate::common::{ARN, PYTHON, failure, python, stage, told};
use strongroom_runtime::Error;

#[tokio::test]
async fn a_handler_answers_and_knows_its_context() {
    let stage = python(
        "import logging, os
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    logging.info('%s', 'told to the log')
    left = context.get_remaining_time_in_millis()
    assert 0 < left <= 60000, left
    print('working on', event['Step'])
    return [event, context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
            len(context.aws_request_id), os.getcwd() == os.environ['LAMBDA_TASK_ROOT']]",
    );
    let outcome = stage.run(r#"{"Step":"createSecret","é":1}"#).await.unwrap();
    let expected =
        format!(r#"[{{"Step": "createSecret", "é": 1}}, "f", "{ARN}", "128", 36, true]"#);
    assert_eq!(told(&outcome), (expected.as_str(), false));
    let tail = String::from_utf8(outcome.log_tail).unwrap();
    assert!(tail.starts_with("START RequestId: "), "{tail}");
    assert!(tail.contains("\nworking on createSecret\nEND RequestId: "), "{tail}");
    let mut words = tail.lines().nth(1).unwrap().split('\t');
    assert_eq!((words.next(), words.next_back()), (Some("[INFO]"), Some("told to the log")));
    assert_eq!(words.next_back().map(str::len), Some(36), "{tail}");
    assert_eq!(format!("{}\n", stage.lines.all()), tail);
}

#[tokio::test]
async fn what_a_handler_raises_is_the_failure() {
    let stage = python(
        "class Locked(ValueError): pass
def handler(event, context):
    raise Locked('the door is locked')",
    );
    let outcome = stage.run("{}").await.unwrap();
    assert_eq!(failure(&outcome), ("Locked".into(), "the door is locked".into()));
    let text = told(&outcome).0;
    assert!(text.contains("line 3, in handler") && !text.contains("runtime_client"), "{text}");
}

#[tokio::test]
async fn code_that_cannot_be_loaded_says_why() {
    #[rustfmt::skip]
    let cases = [
        // handler          code                     type                            in the message
        ("main.handler",    "import no_such",        "Runtime.ImportModuleError",    "No module named 'no_such'"),
        ("other.handler",   "",                      "Runtime.ImportModuleError",    "No module named 'other'"),
        ("main.handler",    "def other(): pass",     "Runtime.HandlerNotFound",      "Handler 'handler' missing on module 'main'"),
        ("main.handler",    "def handler(:",         "Runtime.UserCodeSyntaxError",  "invalid syntax"),
        ("main",            "",                      "Runtime.MalformedHandlerName", "Bad handler 'main'"),
        ("main.handler",    "1 / 0",                 "ZeroDivisionError",            "division by zero"),
    ];
    for (handler, code, kind, message) in cases {
        let mut stage = python(code);
        stage.program.handler = handler.to_owned();
        let outcome = stage.run("{}").await.unwrap();
        let found = failure(&outcome);
        assert_eq!(found.0, kind, "{handler}: {code}");
        assert!(found.1.contains(message), "{found:?}");
    }
}

#[tokio::test]
async fn answers_that_are_no_json_are_failures() {
    let outcome = python("def handler(event, context): return {1, 2}").run("{}").await.unwrap();
    assert_eq!(failure(&outcome).0, "Runtime.MarshalError");
}

#[tokio::test]
async fn modules_in_the_zip_come_first() {
    let stage = stage(PYTHON, "json.py", "raise RuntimeError('hides the library')");
    let code = &stage.program.code;
    std::fs::write(
        code.join("main.py"),
        "import colorsys\ndef handler(e, c): return colorsys.MINE",
    )
    .unwrap();
    std::fs::remove_file(code.join("json.py")).unwrap();
    std::fs::write(code.join("colorsys.py"), "MINE = 'mine'").unwrap();
    assert_eq!(told(&stage.run("{}").await.unwrap()), (r#""mine""#, false));
}

#[tokio::test]
async fn handlers_may_live_in_folders() {
    let mut stage = python("");
    let folder = stage.program.code.join("src");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("app.py"), "def run(event, context): return event").unwrap();
    stage.program.handler = "src/app.run".to_owned();
    assert_eq!(told(&stage.run("[1]").await.unwrap()), ("[1]", false));
}

#[tokio::test]
async fn a_python_that_is_not_there_is_named() {
    let mut stage = python("");
    stage.settings.path = vec![stage.folder.path().to_owned()];
    let Err(Error::Interpreter { runtime, reason }) = stage.run("{}").await else { panic!() };
    assert_eq!(runtime, PYTHON);
    assert!(reason.contains("no `python3.11`"), "{reason}");
}

#[tokio::test]
async fn requirements_that_cannot_be_had_are_told_with_a_hint() {
    let mut stage = python("def handler(event, context): pass");
    stage.settings.pip = [("PIP_NO_INDEX".to_owned(), "1".to_owned())].into();
    std::fs::write(stage.program.code.join("requirements.txt"), "strongroom-no-such==1\n").unwrap();
    let Err(error @ Error::Modules { .. }) = stage.run("{}").await else { panic!() };
    let text = error.to_string();
    assert!(text.starts_with("can't install the function's requirements.txt: "), "{text}");
    assert!(text.contains("\nhint: put the modules into the function's zip"), "{text}");
}

#[tokio::test]
async fn requirements_are_installed_once_and_imported() {
    let mut stage = python("import fresh\ndef handler(event, context): return fresh.WORD");
    stage.settings.pip = [("PIP_NO_INDEX".to_owned(), "1".to_owned())].into();
    // A wheel of the function's own, so that nothing is fetched.
    let wheel = "fresh-1-py3-none-any.whl";
    let make = format!(
        "import zipfile
with zipfile.ZipFile({path:?}, 'w') as out:
    out.writestr('fresh.py', 'WORD = \"fresh\"')
    out.writestr('fresh-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: fresh\\nVersion: 1\\n')
    out.writestr('fresh-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    out.writestr('fresh-1.dist-info/RECORD', '')",
        path = stage.program.code.join(wheel).display().to_string()
    );
    let zipped = std::process::Command::new("/usr/bin/python3").args(["-c", &make]).status();
    assert!(zipped.unwrap().success());
    std::fs::write(stage.program.code.join("requirements.txt"), format!("./{wheel}\n")).unwrap();
    assert_eq!(told(&stage.run("{}").await.unwrap()), (r#""fresh""#, false));

    // What is there isn't installed again: no pip is needed for it.
    stage.settings.install_limit = std::time::Duration::ZERO;
    assert_eq!(told(&stage.run("{}").await.unwrap()), (r#""fresh""#, false));
}
