// What the independent simulator says to the cases of `cargo xtask oracle`.
//
// Reads one case as JSON per line and writes one line each: `Allow`, `Explicit`, `Implicit`, or
// `refused: ` and why. The simulator is AGPL-3.0 software of others: it runs here, in a process of
// its own, as a tool of the tests. Nothing of it is part of Strongroom.

import { createInterface } from "node:readline";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const VERDICTS = { Allowed: "Allow", ExplicitlyDenied: "Explicit", ImplicitlyDenied: "Implicit" };

// The simulator knows no root user. It may do whatever its account may.
const EVERYTHING = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

// The condition keys that follow from the caller and the resource, which the simulator wants to be
// told and our engine finds itself.
function derived({ caller, resource, resource_account }) {
  const { kind, account, arn } = caller;
  const name = arn.split("/").pop();
  const types = { root: "Account", user: "User", role: "AssumedRole", federated: "FederatedUser" };
  const ids = {
    root: account,
    user: caller.id,
    role: `${caller.id}:${name}`,
    federated: `${account}:${name}`,
  };
  const keys = { "aws:PrincipalIsAWSService": String(kind === "service") };
  if (kind === "service") {
    keys["aws:PrincipalServiceName"] = arn;
  } else if (kind !== "web") {
    keys["aws:PrincipalAccount"] = account;
    keys["aws:PrincipalArn"] = kind === "role" ? caller.role : arn;
    keys["aws:PrincipalType"] = types[kind];
    keys["aws:userid"] = ids[kind];
  }
  if (kind === "user") keys["aws:username"] = name;
  if (resource) keys["aws:ResourceAccount"] = resource_account;
  return keys;
}

const named = (name, policies) =>
  (policies ?? []).map((policy, index) => ({ name: `${name}${index}`, policy }));

function simulation(it) {
  const own = it.caller.kind === "root" ? [EVERYTHING] : it.identity;
  const level = (policies, index) => ({
    orgIdentifier: `level${index}`,
    policies: named(`control${index}-`, policies),
  });
  const optional = (name, policy) => (policy ? named(name, [policy]) : undefined);
  return {
    request: {
      principal: it.caller.arn,
      action: it.action,
      resource: { resource: it.resource ?? "*", accountId: it.resource_account },
      contextVariables: { ...derived(it), ...it.context },
    },
    identityPolicies: named("identity", own),
    permissionBoundaryPolicies: optional("boundary", it.boundary),
    sessionPolicy: it.session ?? undefined,
    resourcePolicy: it.resource_policy ?? undefined,
    serviceControlPolicies: (it.service_control ?? []).map(level),
    resourceControlPolicies: (it.resource_control ?? []).length ? [level(it.resource_control, 0)] : [],
    vpcEndpointPolicies: optional("endpoint", it.endpoint),
  };
}

async function verdict(line) {
  const response = await runSimulation(simulation(JSON.parse(line)), {});
  if (response.resultType !== "single") {
    return `refused: ${JSON.stringify(response.errors ?? response.resultType)}`;
  }
  // A key that it leaves out of account is a mistake of the case.
  const ignored = response.result.ignoredContextKeys;
  if (ignored?.length) return `refused: ignores ${ignored.join(", ")}`;
  return VERDICTS[response.overallResult];
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await verdict(line);
  } catch (error) {
    answer = `refused: ${String(error).replaceAll("\n", " ")}`;
  }
  process.stdout.write(`${answer}\n`);
}
