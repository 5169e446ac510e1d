// Asks the Lambda Runtime API for work and hands it to a handler: `module.function`.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/`;
// One connection, kept open: the next question may wait for minutes.
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(method, where, body, kind) {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    if (body !== undefined) headers["Content-Length"] = Buffer.byteLength(body);
    if (kind) headers["Lambda-Runtime-Function-Error-Type"] = kind;
    const request = http.request(API + where, { method, headers, agent }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        resolve({ status: response.statusCode, headers: response.headers, text });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

// The error as AWS shows it.
function failure(error, kind) {
  const known = error instanceof Error || (error && error.message && error.stack);
  if (!known) return { errorType: kind || typeof error, errorMessage: String(error), trace: [] };
  const trace = String(error.stack).split("\n");
  return { errorType: kind || error.name || "Error", errorMessage: error.message, trace };
}

async function fail(where, failed) {
  console.error(`ERROR\tInvoke Error\t${JSON.stringify(failed)}`);
  await ask("POST", where, JSON.stringify(failed), failed.errorType);
}

class Refused extends Error {
  constructor(kind, message) {
    super(message);
    this.name = kind;
  }
}

// The function called `module.function`; the module may be CommonJS or not.
async function load(name) {
  const folder = path.dirname(name);
  const [module, ...names] = path.basename(name).split(".");
  if (names.length === 0) throw new Refused("Runtime.MalformedHandlerName", "Bad handler");
  const base = path.resolve(process.env.LAMBDA_TASK_ROOT, folder, module);
  const file = [".js", ".mjs", ".cjs"].map((it) => base + it).find((it) => fs.existsSync(it));
  if (!file) {
    const message = `Error: Cannot find module '${module}'`;
    throw new Refused("Runtime.ImportModuleError", message);
  }
  let loaded;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) error.name = "Runtime.UserCodeSyntaxError";
    if (error && error.code === "MODULE_NOT_FOUND") error.name = "Runtime.ImportModuleError";
    throw error;
  }
  const within = (from) => names.reduce((it, name) => (it == null ? it : it[name]), from);
  const handler = within(loaded) ?? within(loaded.default);
  if (typeof handler !== "function") {
    throw new Refused("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  }
  return handler;
}

// What a handler is told of its invocation.
function context(headers, settle) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    done: (error, answer) => settle(error, answer),
    fail: (error) => settle(error ?? "handled"),
    succeed: (answer) => settle(null, answer),
  };
}

// Runs a handler of either kind: one that returns a promise, or one that calls back.
function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const settle = (error, answer) => (error ? reject(error) : resolve(answer));
    const returned = handler(event, context(headers, settle), settle);
    if (returned && typeof returned.then === "function") returned.then(resolve, reject);
    else if (handler.length < 3 && returned !== undefined) resolve(returned);
  });
}

async function work(handler) {
  const { status, headers, text } = await ask("GET", "invocation/next");
  if (status !== 200) process.exit(1);
  const request = `invocation/${headers["lambda-runtime-aws-request-id"]}`;
  process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"] ?? "";
  let answer;
  try {
    answer = JSON.stringify(await run(handler, JSON.parse(text), headers)) ?? "null";
  } catch (error) {
    return fail(`${request}/error`, failure(error));
  }
  const said = await ask("POST", `${request}/response`, answer);
  if (said.status >= 500) process.exit(1);
}

async function main() {
  let handler;
  try {
    handler = await load(process.env._HANDLER);
  } catch (error) {
    await fail("init/error", failure(error));
    process.exit(1);
  }
  for (;;) await work(handler);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
