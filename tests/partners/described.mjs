// An OpenAPI description of a service, made of the types that others publish for it: for Prism to answer by.
//
//   node described.mjs MODULES sentry|statuspage
//
// Sentry's are its own (`@sentry/api`, generated from its schema); those of status pages, and their paths, are another
// hand's (`statuspage.io`). Of ours are only the names of the types and the error answers.
import { createRequire } from "node:module";
import path from "node:path";

const [modules, service] = process.argv.slice(2);
const require = createRequire(path.join(modules, "here.js"));
const { createGenerator } = require("ts-json-schema-generator");

function schemas(file) {
  const generator = createGenerator({
    path: path.join(modules, file), type: "*", expose: "none", topRef: false, jsDoc: "none", skipTypeCheck: true,
    additionalProperties: true,
  });
  return (type) => {
    const { $schema, ...schema } = generator.createSchema(type);
    return schema;
  };
}

const json = (schema, description) => ({ description, content: { "application/json": { schema } } });
const refusal = { type: "object", properties: { detail: { type: "string" } }, required: ["detail"] };

// `Data` says what a request has, and its own path; `Responses` what it is answered.
function sentry() {
  const of = schemas("@sentry/api/dist/types.gen.d.ts");
  const paths = {};
  for (const name of ["ListAnOrganizationSissues", "QueryExploreEventsInTableFormat", "RetrieveAnOrganization"]) {
    const data = of(`${name}Data`).properties;
    const parameters = (place) => {
      const { properties = {}, required = [] } = data[place] ?? {};
      const one = ([name, schema]) => ({ name, in: place, required: required.includes(name), schema });
      return Object.entries(properties).map(one);
    };
    const query = parameters("query");
    // The reference lists the datasets of one of Sentry's pages; `errors` is that of its others.
    query.filter(({ name }) => name === "dataset").forEach(({ schema }) => schema.enum.push("errors"));
    const responses = {
      200: json(of(`${name}Responses`).properties["200"], "as it is"),
      401: json(refusal, "nobody known"),
    };
    paths[data.url.const] = { get: { parameters: [...parameters("path"), ...query], responses, security: [{ token: [] }] } };
  }
  return { paths, components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } } };
}

function statuspage() {
  const of = schemas("statuspage.io/dist/interfaces/Result.d.ts");
  const { Endpoint } = require("statuspage.io/dist/Endpoints.js");
  const get = (type) => ({ get: { responses: { 200: json(of(type), "as it is") } } });
  return {
    paths: {
      [Endpoint.status()]: get("Status"),
      [Endpoint.components()]: get("Components"),
      [Endpoint.Incidents.unresolved()]: get("Incidents"),
    },
  };
}

const { paths, components = {} } = service === "sentry" ? sentry() : statuspage();
console.log(JSON.stringify({ openapi: "3.1.0", info: { title: service, version: "1" }, paths, components }));
