FROM php:8.3-apache
RUN a2enmod rewrite headers \
    && sed -ri -e 's!/var/www/html!${APACHE_DOCUMENT_ROOT}!g' /etc/apache2/sites-available/*.conf
ENV APACHE_DOCUMENT_ROOT /var/www/html/public
COPY --from=composer:2 /usr/bin/composer /usr/bin/composer
COPY . /var/www/html/
# expect: snapshotUnsafeBase line 1
