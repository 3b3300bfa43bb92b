// Swagger UI shows the API's description. It keeps no token: a reload forgets it.
(() => {
  "use strict";
  const place = document.getElementById("swagger-ui");
  window.SwaggerUIBundle({
    url: place.dataset.description,
    domNode: place,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
})();
