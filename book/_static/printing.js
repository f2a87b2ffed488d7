// Paper cannot be scrolled: pictures that wait until they are nearly in view are loaded before a page is printed.
"use strict";

window.addEventListener("beforeprint", () => {
  for (const image of document.querySelectorAll("img[loading=lazy]")) image.loading = "eager";
});
