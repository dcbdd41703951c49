// The API reference: Swagger UI over the gateway's own document, and nothing from anywhere else.
SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("reference"),
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  // Each body shows its own schema; all of them once more would be as long as the rest.
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  // Its badge would send the document elsewhere.
  validatorUrl: null,
});
