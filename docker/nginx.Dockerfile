# nginx with config/nginx and the pages: docker build -t proxyxai/pages -f docker/nginx.Dockerfile .
#
# Any image of nginx that has its main file in /etc/nginx: --build-arg BASE=registry.example.com/nginx:stable
ARG BASE=nginx:stable

# Each page's directory is whole: what is a link in the repository is a copy here.
FROM ${BASE} AS pages
COPY pages /source
RUN mkdir /pages && cp -rL /source/billing /source/user /source/admin /source/docs /pages/


FROM ${BASE}

# For the health check; the stock image has it.
# hadolint ignore=DL3008
RUN command -v curl >/dev/null || { \
      apt-get update -qq && apt-get install -y -qq --no-install-recommends curl && rm -rf /var/lib/apt/lists/*; }

COPY docker/nginx.conf /etc/nginx/nginx.conf
COPY docker/proxyxai-nginx /usr/local/bin/
COPY config/nginx /usr/share/proxyxai/nginx
COPY --from=pages /pages /usr/share/proxyxai/pages
COPY LICENSE /usr/share/doc/proxyxai/

# The settings are written at each start, into memory.
RUN rm -rf /etc/nginx/conf.d \
    && mkdir -p /etc/nginx/conf.d /etc/proxyxai/nginx \
    && ln -s /usr/share/proxyxai/nginx/proxyxai.conf /etc/nginx/conf.d/ \
    && cp -r /usr/share/proxyxai/nginx/proxyxai /etc/nginx/conf.d/ \
    && rm -r /etc/nginx/conf.d/proxyxai/settings \
    && ln -s /tmp/settings /etc/nginx/conf.d/proxyxai/settings

ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="ProxyXAI's pages" \
      org.opencontainers.image.description="nginx before ProxyXAI: its API and its pages, each on its own host name" \
      org.opencontainers.image.vendor="ProxyXAI" \
      org.opencontainers.image.url="https://proxyxai.com" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

EXPOSE 80 443
STOPSIGNAL SIGQUIT
# Any name that is no other's gets the documentation; with TLS, its way there.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1/"]
# Its first process reads certificates that are root's alone; those that serve are the image's own user.
ENTRYPOINT ["proxyxai-nginx"]
CMD ["nginx", "-g", "daemon off;"]
