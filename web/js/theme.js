// Before the first paint: the theme and language chosen on an earlier visit. A
// classic script, so that nothing flashes.
(function () {
  try {
    var theme = localStorage.getItem("skein.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    var lang = localStorage.getItem("skein.lang") || navigator.language || "";
    document.documentElement.lang = /^zh/i.test(lang) ? "zh-CN" : "en";
  } catch (e) { /* no storage: the system's choice */ }
})();
