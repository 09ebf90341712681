FROM composer:2 AS vendor
WORKDIR /app
COPY composer.json composer.lock ./
RUN composer install --no-dev --no-scripts --prefer-dist --ignore-platform-reqs

FROM php:8.3-fpm-alpine
RUN apk add --no-cache nginx supervisor icu-dev libzip-dev \
 && docker-php-ext-install pdo_mysql intl zip opcache
COPY --from=vendor /app/vendor /var/www/html/vendor
COPY . /var/www/html
COPY docker/php.ini "$PHP_INI_DIR/conf.d/app.ini"
RUN chown -R www-data:www-data storage bootstrap/cache
ENV APP_ENV=production LOG_CHANNEL=stderr SESSION_DRIVER=cookie
EXPOSE 80
CMD ["/usr/bin/supervisord", "-c", "/etc/supervisord.conf"]
# expect: snapshotUnsafeBase line 6
